interface Node {
  type?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  secret?: boolean;
  properties?: Record<string, Node>;
  required?: string[];
  oneOf?: Node[];
}

/** The fields of a JSON Schema as a table in Markdown. */
export function configTable(schema: object): string {
  return `| Field | Default | |\n|---|---|---|\n${rows(schema as Node, "").join("")}`;
}

function rows({ properties = {}, required = [] }: Node, prefix: string): string[] {
  return Object.entries(properties).flatMap(([key, node]) => {
    const name = prefix + key;
    if (node.properties) return rows(node, `${name}.`);
    if (node.oneOf) return alternatives(node.oneOf, node.description ?? "", `${name}.`);
    const secret = node.secret ? " *" : "";
    const need = required.includes(key) ? "required" : "";
    const fallback = node.default === undefined || node.default === "" ? need : `\`${String(node.default)}\``;
    const choices = node.enum ? `${node.enum.map((each) => `\`${each}\``).join(", ")}. ` : "";
    return [`| \`${name}\`${secret} | ${fallback} | ${choices}${node.description ?? ""} |\n`];
  });
}

/** The constant that tells them apart, then what each has beside it. */
function alternatives(nodes: readonly Node[], description: string, prefix: string): string[] {
  return nodes.flatMap(({ properties = {}, required = [] }, index) => {
    const [told = "", { const: value } = {}] =
      Object.entries(properties).find(([, node]) => node.const !== undefined) ?? [];
    const { [told]: _, ...others } = properties;
    const first = `| \`${prefix}${told}: ${value}\` | | ${index === 0 ? description : "or"} |\n`;
    return [first, ...rows({ properties: others, required }, prefix)];
  });
}
