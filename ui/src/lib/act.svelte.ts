/** What happens behind a button: one change at a time, and in words why it was refused. */
import { Refused } from "./api";
import { t } from "./words";

export const NOT_A_NUMBER = t("Tulis angka, misalnya 400 atau 2,5.", "Write a number, such as 400 or 2,5.");

export class Act {
  busy = $state(false);
  refused = $state("");

  /** Does something; returns whether the hub agreed. */
  async run(change: () => Promise<unknown>): Promise<boolean> {
    this.busy = true;
    this.refused = "";
    try {
      await change();
      return true;
    } catch (error) {
      this.refused = told(error);
      return false;
    } finally {
      this.busy = false;
    }
  }
}

/** A refusal as sentences: the whole, and what is wrong with single fields. */
function told(error: unknown): string {
  if (!(error instanceof Refused)) return (error as Error).message;
  const { detail, errors } = error.problem;
  return [...new Set([detail, ...errors.map((one) => one.detail)])].join(" ");
}
