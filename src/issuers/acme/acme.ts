import { parseSan } from "../../x509/names.ts";
import { pem } from "../../x509/pem.ts";
import { defineIssuer, type RevocationReason } from "../issuer.ts";
import { accountFailure, openAccount } from "./account.ts";
import { budgetOf } from "./budget.ts";
import { acmeConfig } from "./config.ts";
import { describeOrders } from "./describe.ts";
import { acmeAccounts } from "./manage-account.ts";
import { issueByAcme } from "./order.ts";
import { AcmeFailure } from "./problem.ts";
import { renewalInformation } from "./renewal-information.ts";
import { solverOf } from "./solver.ts";
import { readState } from "./state.ts";
import { testAcme } from "./test-directory.ts";

/** RFC 5280, 5.3.1. */
const reasonCodes: Record<RevocationReason, number> = {
  Unspecified: 0,
  KeyCompromise: 1,
  CaCompromise: 2,
  AffiliationChanged: 3,
  Superseded: 4,
  CessationOfOperation: 5,
  PrivilegeWithdrawn: 9,
};

/** Any CA that speaks ACME (RFC 8555): Let's Encrypt, ZeroSSL, Google, a CA of one's own. */
export const acme = defineIssuer({
  kind: "acme",
  title: "ACME",
  config: acmeConfig,

  refuses({ sans }, { challenge }) {
    for (const san of sans.map(parseSan)) {
      const refusal = (why: string) => ({ field: "sans" as const, description: `${san.value} ${why}` });
      if (san.type !== "dns" && san.type !== "ip")
        return refusal("is neither a DNS name nor an IP address; ACME signs no other names");
      if (san.value.startsWith("*.") && challenge !== "dns-01")
        return refusal(`is a wildcard, which needs dns-01; the issuer is set to ${challenge}`);
      if (san.type === "ip" && challenge === "dns-01")
        return refusal("is an IP address, which cannot be shown by dns-01; the issuer is set to it");
    }
    return null;
  },

  // The first of the roots that may be named; which one a certificate builds to, only the certificate tells.
  rootPem: ({ root }) => root,

  test: testAcme,
  issue: issueByAcme,
  isCommitted: (state) => readState(state).open?.isFinalizing === true,
  describeOrders,

  async revoke({ leafDer, reason }, config, tools) {
    const connection = await openAccount(config, tools);
    try {
      await connection.client.revokeCertificate(pem("CERTIFICATE", leafDer), { reason: reasonCodes[reason] });
    } catch (error) {
      if (error instanceof AcmeFailure && error.problem.type === "alreadyRevoked") return;
      throw await accountFailure("revoke", error, connection, tools);
    }
  },

  renewalInfo: renewalInformation,
  accounts: acmeAccounts,
  budget: budgetOf,

  async clearChallenge(challenge, config, tools) {
    await solverOf(config, tools).clear(challenge);
  },
});
