import { cx } from "../ui/class-names.ts";
import { useCursor } from "./cursor.ts";
import { type DayBar, textOfDay } from "./day-bars.tsx";
import { shadeOf } from "./scale.ts";

const shades = ["bg-bg3", "bg-accent/30", "bg-accent/50", "bg-accent/75", "bg-accent"];
const weekdays = ["Mon", "", "Wed", "", "Fri", "", "Sun"];

/** A calendar of days, a column a week, in five steps of one hue. */
export function Heatmap({ days, label }: { days: readonly DayBar[]; label: string }) {
  const cursor = useCursor({ label, count: days.length, textOf: (index) => textOfDay(days[index]), step: 7 });
  const most = Math.max(0, ...days.map(({ value }) => value));
  const skipped = days[0] ? (new Date(days[0].date).getUTCDay() + 6) % 7 : 0;
  const looked = cursor.index === undefined ? undefined : days[cursor.index];
  return (
    <div className="min-w-0">
      <div className="flex gap-1.5">
        <div aria-hidden className="grid grid-rows-7 gap-[3px] text-fg2 text-xs leading-[14px]">
          {weekdays.map((name, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the weekdays never change
            <span key={index} className="h-3.5">
              {name}
            </span>
          ))}
        </div>
        <div
          {...cursor.slider}
          onPointerLeave={cursor.leave}
          className="grid min-w-0 flex-1 auto-cols-fr grid-flow-col grid-rows-7 gap-[3px]"
        >
          {Array.from({ length: skipped }, (_, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the days before the first are all alike
            <span key={index} />
          ))}
          {days.map(({ date, value }, index) => (
            <span
              key={date}
              onPointerEnter={() => cursor.look(index)}
              className={cx(
                "h-3.5 max-w-6 rounded-[2px]",
                shades[shadeOf(value, most)],
                cursor.index === index && "outline outline-2 outline-fg0",
              )}
            />
          ))}
        </div>
      </div>
      <p aria-hidden className="mt-1 h-5 truncate text-fg1 text-sm">
        {looked ? (
          <>
            <span className="font-medium text-fg0">{looked.date}</span> {looked.text}
          </>
        ) : (
          <span className="text-fg2">Darkest: {most} on one day</span>
        )}
      </p>
    </div>
  );
}
