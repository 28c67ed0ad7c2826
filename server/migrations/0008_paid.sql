-- What a payment was paid is read again when a process starts, also when it is final.

create index transaction_paid on transaction (subject_id) where paid;
