-- Creates the role settlewire_app, which cannot change the history, where we have the right to
-- create roles. The program then runs its queries as this role. Roles belong to the whole cluster,
-- so a migration of another database may already have created it, or may do so at the same time.

do $$
begin
  begin
    if not exists (select from pg_roles where rolname = 'settlewire_app') then
      create role settlewire_app nologin;
    end if;
  exception
    when duplicate_object or unique_violation then null;
    when insufficient_privilege then
      raise notice 'no right to create the role settlewire_app: only the trigger event_append_only protects the history';
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
