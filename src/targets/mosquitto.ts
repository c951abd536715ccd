import { definePairTarget } from "./file-target.ts";

/** Has no check; with a bad pair it runs on and finds no shared cipher. */
export const mosquitto = definePairTarget({ kind: "mosquitto", title: "Mosquitto", required: ["reload"] });
