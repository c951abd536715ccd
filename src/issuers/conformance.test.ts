import { X509Certificate } from "node:crypto";
import type { JsonObject } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { issueRequest, testContext } from "../../test/issuer-context.ts";
import { type IssuerStage, issuerStages, stageTime } from "../../test/issuer-stages.ts";
import { checkAnswer } from "../certificates/check-answer.ts";
import { configSchema, type FieldPath, markedFields, valueAt } from "../connectors/fields.ts";
import { maskSecrets, sealSecrets } from "../connectors/secrets.ts";
import { createEgress } from "../platform/egress.ts";
import { createSealer } from "../platform/seal.ts";
import { readCsr } from "../x509/csr.ts";
import { type Issued, type IssueRequest, type Issuer, IssuerError, type Ordered } from "./issuer.ts";
import { issuerByKind, issuers } from "./registry.ts";

/** Held to all of this and more by tests of their own, with certctl's database and with a real CA. */
const elsewhere = ["local-ca", "acme"];

test("kinds are unique", () => {
  expect(issuerByKind.size).toBe(issuers.length);
});

describe.each(issuers)("issuer $kind", ({ kind, config }) => {
  const schema = configSchema(config);

  test("has a JSON Schema that is a closed object, with words for every field", () => {
    expect(schema).toMatchObject({ type: "object", additionalProperties: false });
    if (elsewhere.includes(kind)) return;
    expect(fieldsOf(schema).filter(([, node]) => !node["description"] && !node["title"])).toEqual([]);
  });

  test("marks what looks like a secret, and where it is sent to", () => {
    const unmarked = fieldsOf(schema).filter(
      ([name, node]) =>
        node["type"] === "string" &&
        ((/(^|_)(secret|token|password|hmac_key)$|private_key$/.test(name) && !node["secret"]) ||
          (node["format"] === "uri" && !node["destination"])),
    );
    expect(unmarked.map(([name]) => name)).toEqual([]);
  });
});

describe.each(issuers.filter(({ kind }) => !elsewhere.includes(kind)))("issuer $kind", (issuer) => {
  test("signs for the key, the names and the time that are asked for, and is not asked twice", async () => {
    await using at = await setUp(issuer);
    const request = issueRequest(["site.example", "www.site.example"], { now: at.now });
    const context = at.context();
    const issued = await at.signed(request, context);
    const { spki } = readCsr(request.csr);
    checkAnswer(issued, { spki, sans: request.sans, now: at.now });
    const { validFrom, validTo } = new X509Certificate(issued.leafDer);
    const days = (Date.parse(validTo) - Date.parse(validFrom)) / 86_400_000;
    expect(Math.round(days)).toBe(46);
    // The process ended before the certificate was stored.
    const again = await at.signed(request, context);
    expect(again.leafDer.equals(issued.leafDer)).toBe(true);
  });

  test("signs another certificate for another key", async () => {
    await using at = await setUp(issuer);
    const [first, second] = [
      await at.signed(issueRequest(undefined, { now: at.now }), at.context()),
      await at.signed(issueRequest(undefined, { now: at.now }), at.context()),
    ];
    expect(first.leafDer.equals(second.leafDer)).toBe(false);
  });

  test("revokes what it signed, and takes what is revoked for done", async () => {
    await using at = await setUp(issuer);
    const { leafDer, chainPem, rootPem } = await at.signed(
      issueRequest(undefined, { now: at.now }),
      at.context(),
    );
    const request = {
      leafDer,
      issuerDer: new X509Certificate(chainPem[0] ?? rootPem).raw,
      serial: new X509Certificate(leafDer).serialNumber.toUpperCase(),
      reason: "Superseded",
      authorityId: null,
      now: at.now,
    } as const;
    await issuer.revoke?.(request, at.stage.config, at.context());
    await issuer.revoke?.(request, at.stage.config, at.context());
  });

  test("makes one certificate for a key, whichever call breaks and whenever the process ends", async () => {
    await using at = await setUp(issuer);
    const { finds } = at.stage;
    if (!finds) return;
    const { server, orders } = finds;
    const calls = async (request: IssueRequest, context: Context) => {
      const before = server.calls.length;
      await at.signed(request, context);
      return server.calls.length - before;
    };
    const usual = await calls(issueRequest(undefined, { now: at.now }), at.context());
    for (let call = 0; call < usual; call += 1) {
      for (const trouble of ["away", "lost"] as const) {
        const [request, context, before] = [issueRequest(undefined, { now: at.now }), at.context(), orders()];
        server.befall(/./, trouble, 1, call);
        expect(await failureOf(at.signed(request, context))).toMatchObject({ failureClass: "Network" });
        // Where nothing was ordered, another CA may be asked; where it may have been, none is.
        const { state } = context;
        if (orders() > before) expect(state !== null && issuer.isCommitted?.(state)).toBe(true);
        await at.signed(request, context);
        expect(orders() - before, `call ${call} ${trouble}`).toBe(1);
      }
    }
    const usualWrites = 2;
    for (let write = 0; write < usualWrites; write += 1) {
      const [request, context, before] = [issueRequest(undefined, { now: at.now }), at.context(), orders()];
      let left = write;
      const order = { ...context.order };
      context.order.write = async (state) => {
        left -= 1;
        if (left < 0) throw new Error("the process ends");
        await order.write(state);
      };
      await at.signed(request, context).catch(() => {});
      context.order.write = order.write;
      await at.signed(request, context);
      expect(orders() - before, `write ${write}`).toBe(1);
    }
  });

  test("says in a sentence that it would sign, and has nothing signed for that", async () => {
    await using at = await setUp(issuer);
    const context = at.context();
    const words = await issuer.test(at.stage.config, context);
    expect(words.length).toBeGreaterThan(10);
    for (const secret of at.secrets()) expect(words).not.toContain(secret);
    expect(context.written).toEqual([]);
  });

  test("is not reached at an internal address that nobody allowed", async () => {
    await using at = await setUp(issuer);
    if (at.stage.commands) return;
    const closed = at.context({ egress: createEgress([]) });
    expect(await failureOf(issuer.test(at.stage.config, closed))).toMatchObject({
      failureClass: "Network",
      message: expect.stringContaining("CERTCTL_EGRESS_ALLOW"),
    });
  });

  test("says of wrong credentials that they have to be changed, and shows no secret", async () => {
    await using at = await setUp(issuer);
    const { wrong } = at.stage;
    if (wrong === null) return;
    for (const call of [
      () => issuer.test(wrong, at.context()),
      () => issuer.issue(issueRequest(undefined, { now: at.now }), wrong, at.context()),
    ]) {
      const failure = await failureOf(call());
      expect(failure).toMatchObject({ failureClass: "Configuration" });
      for (const secret of at.secrets(wrong)) expect(failure.message).not.toContain(secret);
    }
  });

  test("stops when nobody wants the answer any more", async () => {
    await using at = await setUp(issuer);
    const context = at.context({ signal: AbortSignal.abort(new Error("the server stops")) });
    const stopped = issuer.issue(issueRequest(undefined, { now: at.now }), at.stage.config, context);
    await expect(stopped).rejects.toThrow("the server stops");
  });

  test("refuses a field that it does not know", async () => {
    await using at = await setUp(issuer);
    const config = { ...at.stage.config, verify: false };
    await expect(issuer.test(config, at.context())).rejects.toThrow("verify");
  });

  test("can be shown with its secrets masked", async () => {
    await using at = await setUp(issuer);
    const place = { table: "issuers", id: "iss-test" };
    const shown = maskSecrets(
      sealSecrets(createSealer(Buffer.alloc(32, 1)), place, issuer.config, at.stage.config),
    );
    for (const secret of at.secrets()) expect(JSON.stringify(shown)).not.toContain(secret);
    const wanted = { sans: ["site.example"], keyAlgorithm: "ECDSA-P256", validitySeconds: 46 * 86_400 };
    expect(
      issuer.refuses(wanted, shown, {
        trustDomain: "x.internal",
        ownNames: [],
        signingCa: null,
        pkiUrl: null,
      }),
    ).toBeNull();
    expect(issuer.rootPem(shown, { signingCa: null })).toBe("");
  });
});

type Context = ReturnType<typeof testContext>;

async function setUp(issuer: Issuer) {
  const start = issuerStages[issuer.kind];
  if (!start) throw new Error(`${issuer.kind} has no stage in test/issuer-stages.ts`);
  const stage: IssuerStage = await start();
  const now = stage.now ?? stageTime;

  /** Asks until the CA has signed. */
  async function signed(request: IssueRequest, context: Context): Promise<Issued> {
    let answer: Issued | Ordered = await issuer.issue(request, stage.config, context);
    for (let tries = 0; "pollAfterMs" in answer; tries += 1) {
      if (tries > 10 || !issuer.orderStatus) throw new Error(`it does not sign: ${answer.message}`);
      answer = await issuer.orderStatus(context.state ?? {}, request, stage.config, context);
    }
    return answer;
  }

  return {
    stage,
    now,
    signed,
    context: (changes: Partial<Context> = {}) =>
      testContext({
        clock: () => now,
        ...(stage.commands && { commands: stage.commands }),
        ...changes,
      }),
    secrets: (config: JsonObject = stage.config) =>
      markedFields(issuer.config, config, "secret").map((path: FieldPath) => String(valueAt(config, path))),
    [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
  };
}

async function failureOf(call: Promise<unknown>): Promise<IssuerError> {
  const error = await call.then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof IssuerError)) throw error;
  return error;
}

/** Every field that is a value, by its name. */
function fieldsOf(node: JsonObject): [string, JsonObject][] {
  const properties = (node["properties"] ?? {}) as Record<string, JsonObject>;
  const alternatives = (node["oneOf"] ?? []) as JsonObject[];
  return [
    ...Object.entries(properties).flatMap<[string, JsonObject]>(([name, inner]) =>
      inner["properties"] || inner["oneOf"] ? fieldsOf(inner) : inner["const"] ? [] : [[name, inner]],
    ),
    ...alternatives.flatMap(fieldsOf),
  ];
}
