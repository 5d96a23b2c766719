/** Something about a machine that keeps a registry from working there (`broken`), or may. */
export interface Verdict {
  readonly kind: 'broken' | 'warning';
  readonly what: string;
  readonly remedy: string;
}

export function broken(what: string, remedy: string): Verdict {
  return { kind: 'broken', what, remedy };
}

export function warning(what: string, remedy: string): Verdict {
  return { kind: 'warning', what, remedy };
}
