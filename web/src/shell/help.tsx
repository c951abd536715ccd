import { useRegisteredShortcuts } from "../shortcuts/registry.ts";
import { Dialog } from "../ui/dialog.tsx";

const groups = ["Everywhere", "Go to", "Lists", "This page"] as const;

/** Every shortcut that works at this moment. */
export function Help({ onClose }: { onClose(): void }) {
  const shortcuts = useRegisteredShortcuts();
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose} shape="wide">
      <div className="grid gap-6 sm:grid-cols-2">
        {groups.map((group) => {
          const ofGroup = shortcuts.filter((shortcut) => shortcut.group === group);
          if (ofGroup.length === 0) return null;
          return (
            <section key={group}>
              <h3 className="pb-1 font-medium text-fg2">{group}</h3>
              <dl className="flex flex-col gap-1">
                {ofGroup.map(({ keys, label }) => (
                  <div key={keys + label} className="flex justify-between gap-4">
                    <dt>{label}</dt>
                    <dd className="flex gap-1">
                      {keys.split(" ").map((key) => (
                        <kbd
                          key={key}
                          className="rounded-[3px] border border-line2 bg-bg2 px-1.5 font-mono text-sm"
                        >
                          {key.replace("mod+", "Ctrl ").replace("+", " ")}
                        </kbd>
                      ))}
                    </dd>
                  </div>
                ))}
              </dl>
            </section>
          );
        })}
      </div>
    </Dialog>
  );
}
