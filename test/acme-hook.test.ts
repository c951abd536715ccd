import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { openAcmeStage } from "./acme-stage.ts";
import { startPebble } from "./pebble.ts";

/** Changes the records of Pebble's own name server. */
const hook = `#!/bin/sh
set -eu
echo "$CERTCTL_ACTION $CERTCTL_DOMAIN $CERTCTL_RECORD_NAME" >> "$HOOK_HOME/calls"
case $CERTCTL_ACTION in
publish) curl -fsS -d '{"host": "'"$CERTCTL_RECORD_NAME"'.", "value": "'"$CERTCTL_RECORD_VALUE"'"}' "$NAMES/set-txt" ;;
clear) curl -fsS -d '{"host": "'"$CERTCTL_RECORD_NAME"'."}' "$NAMES/clear-txt" ;;
esac
`;

test("a command of server.yaml answers dns-01, for wildcards too, and takes the record away", async () => {
  await using stage = await openAcmeStage();
  await using pebble = await startPebble();
  const { system } = stage;
  const home = join(system.directory, "hook");
  await mkdir(home);
  await writeFile(join(home, "dns"), hook, { mode: 0o755 });
  await writeFile(join(home, "broken"), "#!/bin/sh\necho the zone is locked >&2\nexit 12\n", { mode: 0o755 });
  const environment = { HOOK_HOME: home, NAMES: pebble.namesUrl };
  const commands = {
    dns: { argv: [join(home, "dns")], environment },
    broken: { argv: [join(home, "broken")] },
  };
  await writeFile(join(system.dataDir, "server.yaml"), stringify({ commands }), { mode: 0o600 });
  const by = (hook_command: string) => ({ challenge: "dns-01", solver: "hook", hook_command });

  const job = await system.renew(
    await stage.certificate(await stage.issuer(pebble, by("dns")), ["*.hook.test"]),
  );
  expect(job, JSON.stringify(job, null, 1)).toMatchObject({ outcome: "Proven", attempts: 1 });
  const said = job.timeline.map(({ message }: { message: string }) => message).join("\n");
  expect(said).toContain("answered by the command dns");
  const calls = (await readFile(join(home, "calls"), "utf8")).trim().split("\n");
  const record = "hook.test _acme-challenge.hook.test";
  expect(calls).toEqual([`publish ${record}`, `clear ${record}`]);

  const refused = await stage.certificate(await stage.issuer(pebble, by("broken")), ["*.other.test"]);
  const { body } = await system.rest("POST", `/api/v1/certificates/${refused}/renew`, {});
  const failed = await system.job(body.job_id, ({ error }) => error !== null);
  expect(failed.error).toMatchObject({
    message: expect.stringContaining("broken ended with 12: the zone is locked"),
    failure_class: "Configuration",
  });
  await expect(stage.issuer(pebble, by(""))).rejects.toThrow("hook_command");
}, 90_000);
