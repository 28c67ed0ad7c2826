-- What a payment was paid is read again when a process starts, also when it is final.

create index payment_transaction_paid on payment_transaction (payment_id) where paid;
