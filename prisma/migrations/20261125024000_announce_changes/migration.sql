-- Whatever writes a table that somebody looks at says so when it commits: "<topic> <id>" on certctl_changed. A statement
-- that changes many rows says "<topic> *". A trigger's arguments are the topic, the column with the id ('*' for none),
-- and the columns whose change is nothing to tell of.
CREATE FUNCTION certctl_tell_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  topic text := TG_ARGV[0];
  id_column text := TG_ARGV[1];
  quiet text[] := TG_ARGV[2]::text[];
BEGIN
  IF (SELECT count(*) FROM (SELECT FROM changed LIMIT 51) AS few) > 50 THEN
    PERFORM pg_notify('certctl_changed', topic || ' *');
  ELSIF TG_OP = 'UPDATE' AND quiet <> '{}' THEN
    PERFORM pg_notify('certctl_changed', topic || ' ' || coalesce(id, '*')) FROM (
      SELECT DISTINCT state ->> id_column AS id FROM (
        SELECT to_jsonb(c) - quiet AS state FROM changed AS c EXCEPT SELECT to_jsonb(b) - quiet FROM before AS b
      ) AS different
    ) AS ids;
  ELSE
    PERFORM pg_notify('certctl_changed', topic || ' ' || coalesce(id, '*')) FROM (
      SELECT DISTINCT to_jsonb(c) ->> id_column AS id FROM changed AS c
    ) AS ids;
  END IF;
  RETURN NULL;
END $$;

-- Makes a table say what changes in it.
CREATE FUNCTION certctl_announce(name regclass, topic text, id_column text, quiet text[] DEFAULT '{}')
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  label text := replace('tell_' || topic || '_' || id_column, '*', 'any');
BEGIN
  EXECUTE format('CREATE TRIGGER %I AFTER INSERT ON %s REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION certctl_tell_changed(%L, %L, %L)', label || '_insert', name, topic, id_column, quiet);
  EXECUTE format('CREATE TRIGGER %I AFTER UPDATE ON %s REFERENCING OLD TABLE AS before NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION certctl_tell_changed(%L, %L, %L)', label || '_update', name, topic, id_column, quiet);
  EXECUTE format('CREATE TRIGGER %I AFTER DELETE ON %s REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION certctl_tell_changed(%L, %L, %L)', label || '_delete', name, topic, id_column, quiet);
END $$;

-- Signs of life are no change that anybody waits for, and would make every heartbeat queue for its commit.
SELECT certctl_announce('managed_certificates', 'certificates', 'id');
SELECT certctl_announce('certificate_versions', 'certificates', 'certificate_id');
SELECT certctl_announce('certificate_target_mappings', 'certificates', 'certificate_id');
SELECT certctl_announce('certificate_target_mappings', 'targets', 'target_id');
SELECT certctl_announce('deployment_targets', 'targets', 'id');
SELECT certctl_announce('jobs', 'jobs', 'id', '{lease_id,lease_epoch,lease_expires_at,delivered_at,acknowledged_at}');
SELECT certctl_announce('jobs', 'certificates', 'certificate_id', '{lease_id,lease_epoch,lease_expires_at,delivered_at,acknowledged_at}');
SELECT certctl_announce('agents', 'agents', 'id', '{last_heartbeat_at,clock_skew_ms}');
SELECT certctl_announce('agent_identities', 'agents', 'agent_id');
SELECT certctl_announce('issuers', 'issuers', 'id');
SELECT certctl_announce('teams', 'teams', 'id');
SELECT certctl_announce('owners', 'owners', 'id');
SELECT certctl_announce('notifiers', 'notifiers', 'id');
SELECT certctl_announce('notification_events', 'notifications', 'id', '{lease_id,lease_expires_at}');
SELECT certctl_announce('notification_deliveries', 'notifications', 'notification_id');
SELECT certctl_announce('policy_rules', 'policies', 'id');
SELECT certctl_announce('policy_violations', 'policies', 'rule_id');
SELECT certctl_announce('renewal_policies', 'renewal-policies', 'id');
SELECT certctl_announce('renewal_policy_channels', 'renewal-policies', 'renewal_policy_id');
SELECT certctl_announce('operations', 'operations', 'id');
SELECT certctl_announce('operation_items', 'operations', 'operation_id');
SELECT certctl_announce('scheduled_tasks', 'scheduler', 'name', '{lease_expires_at}');
SELECT certctl_announce('api_keys', 'api-keys', 'id', '{last_used_at}');
SELECT certctl_announce('sessions', 'sessions', 'id', '{last_used_at}');
SELECT certctl_announce('audit_events', 'audit', 'id');
SELECT certctl_announce('audit_checkpoints', 'audit', '*');
