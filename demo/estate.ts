/** What the demo's estate consists of, and what becomes of it. Days count from 0; 180 is today. */

export const days = 180;

export const teams = [
  ["t-payments", "Payments", "Takes the money"],
  ["t-web", "Web", "Shop and marketing sites"],
  ["t-platform", "Platform", "Clusters, gateways, build machines"],
  ["t-data", "Data", "Warehouse and reports"],
  ["t-mobile", "Mobile", "APIs of the apps"],
  ["t-security", "Security", "Identity, keys and this"],
] as const;

export const owners = [
  ["o-ada", "Ada Kowalski", "t-payments"],
  ["o-ben", "Ben Okafor", "t-web"],
  ["o-chen", "Chen Wei", "t-platform"],
  ["o-dana", "Dana Levy", "t-data"],
  ["o-emil", "Emil Berg", "t-mobile"],
  ["o-fatma", "Fatma Yilmaz", "t-security"],
  ["o-gus", "Gus Moreau", "t-web"],
  ["o-hana", "Hana Sato", "t-platform"],
] as const;

/** An agent, and the day after which nothing was heard of it. */
export const agents: readonly { id: string; hostname: string; silentFrom?: number }[] = [
  { id: "ag-pay-1", hostname: "pay-1.certctl.example" },
  { id: "ag-pay-2", hostname: "pay-2.certctl.example" },
  { id: "ag-web-1", hostname: "web-1.certctl.example" },
  { id: "ag-web-2", hostname: "web-2.certctl.example" },
  { id: "ag-edge-1", hostname: "edge-1.certctl.example" },
  { id: "ag-data-1", hostname: "data-1.certctl.example" },
  { id: "ag-api-1", hostname: "api-1.certctl.example" },
  { id: "ag-legacy", hostname: "legacy.certctl.example", silentFrom: 165 },
];

export interface DemoCertificate {
  name: string;
  agent: string;
  owner: string;
  environment: "production" | "staging" | "development" | "";
  /** "rp-default", "rp-fast", "rp-manual". */
  policy: string;
  validityDays: number;
  keyAlgorithm: string;
  /** On which day it is declared. */
  createdOn: number;
  /** On which days a person has it issued or renewed. */
  renewedOn: readonly number[];
  archivedOn?: number;
  /** Its agent cannot make the key. */
  isBroken?: true;
  /** Without the metadata that a policy wants, or of a foreign domain. */
  isUntidy?: true;
}

type Plan = Pick<DemoCertificate, "createdOn" | "renewedOn"> & Partial<DemoCertificate>;

/** A certificate that is renewed by itself from the day on which it is first issued. */
const kept = (createdOn: number, more: Partial<DemoCertificate> = {}): Plan => ({
  createdOn,
  renewedOn: [createdOn],
  ...more,
});

const manual = { policy: "rp-manual" } as const;

const plans: Record<string, Plan> = {
  shop: kept(0),
  www: kept(0),
  checkout: kept(1),
  cards: kept(1, { keyAlgorithm: "ECDSA-P384" }),
  ledger: kept(2),
  refunds: kept(4),
  invoices: kept(5, { validityDays: 30 }),
  blog: kept(6, { isUntidy: true }),
  careers: kept(8),
  press: kept(9, { environment: "staging" }),
  gateway: kept(10),
  registry: kept(12, { validityDays: 90 }),
  builds: kept(15),
  grafana: kept(18, { environment: "", isUntidy: true }),
  vault: kept(20, { keyAlgorithm: "RSA-2048" }),
  sso: kept(22),
  warehouse: kept(30),
  reports: kept(35),
  events: kept(40, { validityDays: 30 }),
  "app-api": kept(50),
  push: kept(60),
  "feature-flags": kept(70, { environment: "staging" }),
  canary: kept(120, { environment: "development", validityDays: 14 }),
  partners: kept(140, { validityDays: 90 }),
  "old-shop": { createdOn: 10, renewedOn: [10, 105], validityDays: 90, ...manual },
  wiki: { createdOn: 12, renewedOn: [12, 101], validityDays: 90, ...manual },
  tickets: { createdOn: 25, renewedOn: [25, 110], validityDays: 90, ...manual },
  mail: { createdOn: 115, renewedOn: [115], validityDays: 90, ...manual },
  intranet: { createdOn: 30, renewedOn: [30, 75, 118], validityDays: 46, ...manual },
  ftp: { createdOn: 60, renewedOn: [60, 100], validityDays: 46, isUntidy: true, ...manual },
  survey: { createdOn: 110, renewedOn: [110], validityDays: 46, ...manual },
  "billing-legacy": kept(141, { agent: "ag-legacy" }),
  erp: kept(138, { agent: "ag-legacy" }),
  sandbox: { createdOn: 177, renewedOn: [177], isBroken: true, environment: "development" },
  pilot: { createdOn: 178, renewedOn: [178], isBroken: true, environment: "staging" },
  "campaign-spring": { createdOn: 15, renewedOn: [15], archivedOn: 88 },
  "campaign-summer": { createdOn: 70, renewedOn: [70], archivedOn: 150 },
  search: { createdOn: 176, renewedOn: [] },
  recommendations: { createdOn: 178, renewedOn: [] },
  "status-page": { createdOn: 179, renewedOn: [] },
};

const agentIds = agents.map(({ id }) => id).filter((id) => id !== "ag-legacy");

export const certificates: readonly DemoCertificate[] = Object.entries(plans).map(([name, plan], index) => ({
  name,
  agent: agentIds[index % agentIds.length] ?? "",
  owner: owners[index % owners.length]?.[0] ?? "",
  environment: "production",
  policy: index % 3 === 0 ? "rp-fast" : "rp-default",
  validityDays: 46,
  keyAlgorithm: "ECDSA-P256",
  ...plan,
}));
