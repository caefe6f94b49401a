/** Something a user can do something about: the message says what was found, what the rule is and what to do. */
export class UserError extends Error {
  override name = "UserError";
}

/** A run was stopped by its user; no error. */
export class Cancelled extends Error {
  override name = "Cancelled";
  constructor() {
    super("stopped");
  }
}

/** Turns the many errors that damaged bytes lead to into one sentence, and lets those pass that say more. */
export function orDamaged<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${name} is cut short or damaged. Copy it again from where it came from.`);
  }
}
