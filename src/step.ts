/** Tells the person watching what is going on, in half a line. */
export type Report = (detail: string) => void;

/** How a step ended: what it hands on, whether it had to change anything, and one phrase about it. */
export interface Done<T = void> {
  readonly value: T;
  readonly changed: boolean;
  readonly summary: string;
}

export function changed(summary: string): Done;
export function changed<T>(summary: string, value: T): Done<T>;
export function changed<T>(summary: string, value?: T): Done<T | undefined> {
  return { value, changed: true, summary };
}

export function unchanged(summary: string): Done;
export function unchanged<T>(summary: string, value: T): Done<T>;
export function unchanged<T>(summary: string, value?: T): Done<T | undefined> {
  return { value, changed: false, summary };
}
