import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  allCertificates,
  type ControlPlane,
  claimOne,
  dayMs,
  failed,
  firstPage,
  issueVersion,
  newAgent,
  newCertificate,
  newCsr,
  newTarget,
  openControlPlane,
  openIssuance,
  operator,
  report,
  submitCsr,
  type TestAgent,
} from "../../test/fixtures.ts";
import { unrestricted } from "../auth/grants.ts";
import { archiveCertificate } from "./declare.ts";
import { issue } from "./issue.ts";
import { renewCertificate } from "./renew.ts";
import { findCertificate, listCertificates } from "./view.ts";

let plane: ControlPlane;
let agent: TestAgent;
beforeAll(async () => {
  plane = await openControlPlane();
});
afterAll(() => plane[Symbol.asyncDispose]());
beforeEach(async () => {
  agent = await newAgent(plane);
});

async function viewOf(id: string, now = plane.time.now) {
  const view = await findCertificate(plane.db, unrestricted, id, now);
  if (!view) throw new Error(`certificate ${id} is not there`);
  return view;
}
const statusAt = async (id: string, now: Date) => (await viewOf(id, now)).status;
const later = (date: Date, ms: number) => new Date(date.getTime() + ms);

describe("the status of a certificate", () => {
  test("is Pending before anything was issued", async () => {
    const id = await newCertificate(plane, { agentId: agent.id });
    expect(await viewOf(id)).toMatchObject({
      status: "Pending",
      serial: null,
      expiresAt: null,
      activeJobId: null,
    });
  });

  test("is RenewalInProgress while a job is open, also when nothing valid is left", async () => {
    const id = await newCertificate(plane, { agentId: agent.id });
    const version = await issueVersion(plane, agent, id);
    const [jobId] = await renewCertificate(plane, operator, id);
    expect(await viewOf(id)).toMatchObject({ status: "RenewalInProgress", activeJobId: jobId });
    expect(await statusAt(id, later(version.notAfter, dayMs))).toBe("RenewalInProgress");
  });

  test("moves from Active over Expiring to Expired as time goes by", async () => {
    const id = await newCertificate(plane, { agentId: agent.id });
    const { notAfter, renewAt: due } = await issueVersion(plane, agent, id);
    expect(await statusAt(id, plane.time.now)).toBe("Active");
    expect(await statusAt(id, later(due, dayMs - 1))).toBe("Active");
    expect(await statusAt(id, later(due, dayMs))).toBe("Expiring");
    expect(await statusAt(id, later(notAfter, -1))).toBe("Expiring");
    expect(await statusAt(id, notAfter)).toBe("Expired");
  });

  test("is Failed when the last issuance failed and nothing valid is left", async () => {
    const id = await newCertificate(plane, { agentId: agent.id });
    await report(plane, agent, await openIssuance(plane, agent, id), failed(false));
    expect(await viewOf(id)).toMatchObject({ status: "Failed", lastError: "reload: it did not" });
  });

  test("stays with the valid version when a renewal failed, and shows the error", async () => {
    const id = await newCertificate(plane, { agentId: agent.id });
    const { notAfter } = await issueVersion(plane, agent, id);
    await report(plane, agent, await openIssuance(plane, agent, id), failed(false));
    expect(await viewOf(id)).toMatchObject({ status: "Active", lastError: "reload: it did not" });
    expect(await statusAt(id, notAfter)).toBe("Failed");
  });

  test("is Archived whatever else holds", async () => {
    const id = await newCertificate(plane, { agentId: agent.id });
    await issueVersion(plane, agent, id);
    await archiveCertificate(plane, operator, id);
    expect(await viewOf(id)).toMatchObject({ status: "Archived", archivedAt: plane.time.now });
  });

  test("is not touched by a deployment that is open", async () => {
    const id = await newCertificate(plane, { targetIds: [await newTarget(plane, agent)] });
    await issueVersion(plane, agent, id);
    await claimOne(plane, agent);
    expect(await viewOf(id)).toMatchObject({ status: "Active", activeJobId: null });
  });
});

describe("the version that a certificate shows", () => {
  test("is the newest", async () => {
    const id = await newCertificate(plane, { agentId: agent.id });
    await issueVersion(plane, agent, id);
    plane.time.now = later(plane.time.now, dayMs);
    const { serial, fingerprintSha256, notAfter, renewAt } = await issueVersion(plane, agent, id);
    const shown = { serial, fingerprint: fingerprintSha256, expiresAt: notAfter, renewAt };
    expect(await viewOf(id)).toMatchObject(shown);
  });

  test("is, of several agents' newest ones, the one that ends first", async () => {
    const other = await newAgent(plane);
    const targetIds = [await newTarget(plane, agent), await newTarget(plane, other)];
    const id = await newCertificate(plane, { targetIds });
    await renewCertificate(plane, operator, id);
    const started = plane.time.now;
    for (const [index, keyAgent] of [agent, other].entries()) {
      plane.time.now = later(started, index * dayMs);
      const job = await claimOne(plane, keyAgent);
      await submitCsr(plane, keyAgent, job, newCsr(["site.example"]));
      await issue(plane, job.id, new AbortController().signal);
    }
    const versions = await plane.db.certificateVersion.findMany({ where: { certificateId: id } });
    expect(versions).toHaveLength(2);
    const first = versions.find(({ agentId }) => agentId === agent.id);
    expect(await viewOf(id)).toMatchObject({ serial: first?.serial, expiresAt: first?.notAfter });
  });

  test("is not one of an agent that makes its keys no longer", async () => {
    const id = await newCertificate(plane, { agentId: agent.id });
    await issueVersion(plane, agent, id);
    const heir = await newAgent(plane);
    await plane.db.managedCertificate.update({ where: { id }, data: { agentId: heir.id } });
    plane.time.now = later(plane.time.now, dayMs);
    const { serial } = await issueVersion(plane, heir, id);
    expect(await viewOf(id)).toMatchObject({ serial });
  });
});

describe("the list of certificates", () => {
  const list = (page = 1, perPage = 50) =>
    listCertificates(
      plane.db,
      unrestricted,
      { ...firstPage, page, perPage },
      allCertificates,
      plane.time.now,
    );

  test("leaves archived ones out unless they are asked for, and counts all that match", async () => {
    await using own = await openControlPlane();
    const keeper = await newAgent(own);
    const ids: string[] = [];
    for (let i = 0; i < 3; i += 1) ids.push(await newCertificate(own, { agentId: keeper.id }));
    const [archived = "", issued = "", pending = ""] = ids;
    await archiveCertificate(own, operator, archived);
    await issueVersion(own, keeper, issued);
    const listed = async (statuses: string[], take = 50) => {
      const request = { ...firstPage, perPage: take };
      const filter = { ...allCertificates, statuses };
      const { total, rows } = await listCertificates(own.db, unrestricted, request, filter, own.time.now);
      return { total, ids: rows.map(({ id }) => id) };
    };
    expect(await listed([])).toEqual({ total: 2, ids: [pending, issued] });
    expect(await listed([], 1)).toEqual({ total: 2, ids: [pending] });
    expect(await listed(["Archived"])).toEqual({ total: 1, ids: [archived] });
    expect(await listed(["Active", "Archived"])).toEqual({ total: 2, ids: [issued, archived] });
    expect(await listed(["Expired"])).toEqual({ total: 0, ids: [] });
  });

  test("finds a certificate by the serial number or the SHA-256 of a version, written in any way", async () => {
    const certificate = await newCertificate(plane, { agentId: agent.id });
    const other = await newCertificate(plane, { agentId: agent.id });
    const version = await issueVersion(plane, agent, certificate);
    await issueVersion(plane, agent, other);
    const found = async (q: string) => {
      const filter = { ...allCertificates, q };
      const { rows } = await listCertificates(plane.db, unrestricted, firstPage, filter, plane.time.now);
      return rows.map(({ id }) => id);
    };
    const colons = version.fingerprintSha256.toUpperCase().replaceAll(/(..)(?!$)/g, "$1:");
    for (const q of [version.serial, version.serial.toLowerCase(), version.fingerprintSha256, colons])
      expect(await found(q)).toEqual([certificate]);
    expect(await found(version.fingerprintSha256.slice(0, 20))).toEqual([]);
  });

  test("gives each page its own rows", async () => {
    for (let i = 0; i < 3; i += 1) await newCertificate(plane, {});
    const { total, rows } = await list();
    const pages = [];
    for (let page = 1; page <= Math.ceil(total / 2); page += 1) pages.push(...(await list(page, 2)).rows);
    expect(pages.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
  });
});
