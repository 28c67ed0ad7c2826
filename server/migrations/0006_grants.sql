-- The program works as a role that cannot change the history, where the database lets us make one.
-- Roles belong to the whole cluster: another database may have made it already, even this moment.

do $$
begin
  begin
    if not exists (select from pg_roles where rolname = 'settlewire_app') then
      create role settlewire_app nologin;
    end if;
  exception
    when duplicate_object or unique_violation then null;
    when insufficient_privilege then
      raise notice 'no right to create the role settlewire_app: the trigger alone guards the history';
      return;
  end;

  begin
    execute format('grant settlewire_app to %I', current_user);
  exception when insufficient_privilege or invalid_grant_operation then null;
  end;

  execute format('grant usage on schema %I to settlewire_app', current_schema());
  grant select on schema_migration to settlewire_app;
  grant select, insert on event, idempotency_key, installation_secret, subject_address
    to settlewire_app;
  grant select, insert, update on merchant, api_key, deposit_counter, subject, subject_state,
    transaction, inclusion, merchant_feed, chain_cursor, write_proof to settlewire_app;
  grant select, insert, delete on chain_block to settlewire_app;
  grant update, delete on idempotency_key to settlewire_app;
end
$$;
