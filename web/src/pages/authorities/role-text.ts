import { type AuthorityRole, AuthorityRoleSchema } from "#gen/certctl/v1/authorities_pb.ts";
import { readable } from "../../status/words.ts";

/** "Issuing CA". */
export function roleText(role: AuthorityRole): string {
  return readable(AuthorityRoleSchema, role).replace(/ ca$/, " CA");
}
