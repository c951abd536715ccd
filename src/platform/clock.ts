/** All business time comes from here, so that tests can move it. Leases use the database's own clock. */
export type Clock = () => Date;

export const systemClock: Clock = () => new Date();
