const RANGE = /^(.*?)\[(\w+):(\w+)(?::(\d+))?\](.*)$/s;
const MOST = 1000;

/**
 * The names that a pattern of hosts stands for: `web[01:03].example.com`, `db-[a:c]`, with a step `[0:10:5]`. A text
 * when it stands for none, saying why. (Ansible, "Adding ranges of hosts")
 */
export function expandHosts(pattern: string): readonly string[] | string {
  const parts = RANGE.exec(pattern);
  if (parts === null)
    return /[[\]]/.test(pattern) && !isAddress(pattern)
      ? 'has a range that is none; right would be web[01:20]'
      : [pattern];
  const [, before = '', first = '', last = '', step = '1', after = ''] = parts;
  const counted =
    /^\d+$/.test(first) && /^\d+$/.test(last)
      ? numbers(first, last, Number(step))
      : letters(first, last, Number(step));
  if (typeof counted === 'string') return counted;
  const rest = expandHosts(after);
  if (typeof rest === 'string') return rest;
  return counted.flatMap((each) => rest.map((end) => `${before}${each}${end}`));
}

function isAddress(pattern: string): boolean {
  return /^\[[0-9A-Fa-f:]+\](:\d+)?$/.test(pattern);
}

function numbers(first: string, last: string, step: number): readonly string[] | string {
  if (first.length > 1 && first.startsWith('0') && first.length !== last.length)
    return `has a range from ${first} to ${last}: both need the same number of digits`;
  return sequence(Number(first), Number(last), step, (each) => String(each).padStart(first.length, '0'));
}

function letters(first: string, last: string, step: number): readonly string[] | string {
  if (!/^[a-z]$|^[A-Z]$/.test(first) || !/^[a-z]$|^[A-Z]$/.test(last))
    return `has a range from ${first} to ${last}, which is none`;
  return sequence(first.charCodeAt(0), last.charCodeAt(0), step, (each) => String.fromCharCode(each));
}

function sequence(
  from: number,
  to: number,
  step: number,
  named: (each: number) => string,
): readonly string[] | string {
  if (step < 1 || to < from) return 'has a range that goes nowhere';
  const length = Math.floor((to - from) / step) + 1;
  if (length > MOST) return `has a range of ${length} hosts; ${MOST} are the most`;
  return Array.from({ length }, (_, index) => named(from + index * step));
}
