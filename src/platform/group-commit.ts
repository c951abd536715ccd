/** What became of one item of a group. */
export type Outcome<Result> = { result: Result } | { error: unknown };

/** A function that commits several items at once. One error for all of them means that nothing of the group was kept. */
export type CommitGroup<Item, Result> = (items: readonly Item[]) => Promise<readonly Outcome<Result>[]>;

interface Waiting<Item, Result> {
  item: Item;
  settle(outcome: Outcome<Result>): void;
}

/**
 * Has items that come at the same time share a commit: what arrives while a group is committed makes up the next one, so that a
 * single item waits for nobody. A group that fails as a whole is committed again item by item: one that the database refuses
 * takes no other with it.
 */
export function groupCommit<Item, Result>(
  commit: CommitGroup<Item, Result>,
  { mostItems, mostGroups }: { mostItems: number; mostGroups: number },
): (item: Item) => Promise<Result> {
  const waiting: Waiting<Item, Result>[] = [];
  let groups = 0;

  async function run(): Promise<void> {
    groups += 1;
    while (waiting.length > 0) await commitAll(commit, waiting.splice(0, mostItems));
    groups -= 1;
  }

  return (item) =>
    new Promise<Result>((resolve, reject) => {
      const settle = (outcome: Outcome<Result>) =>
        "error" in outcome ? reject(outcome.error) : resolve(outcome.result);
      waiting.push({ item, settle });
      // Whatever else this turn of the event loop brings goes into the same group.
      if (groups < mostGroups) setImmediate(() => groups < mostGroups && void run());
    });
}

async function commitAll<Item, Result>(
  commit: CommitGroup<Item, Result>,
  group: readonly Waiting<Item, Result>[],
): Promise<void> {
  try {
    const outcomes = await commit(group.map(({ item }) => item));
    group.forEach(({ settle }, index) => {
      settle(outcomes[index] ?? { error: new Error("an item of the group was left out") });
    });
  } catch (error) {
    if (group.length === 1) for (const { settle } of group) settle({ error });
    else for (const one of group) await commitAll(commit, [one]);
  }
}
