/** What a part has written: a text in Prometheus’ format (version 0.0.4). */
export interface Told {
  readonly part: string;
  readonly text: string;
}

export interface Merged {
  readonly text: string;
  /** Lines of each part that say nothing, or what has been said already. */
  readonly leftOut: ReadonlyMap<string, number>;
}

interface Family {
  readonly help: string | undefined;
  readonly type: string;
  /** Values by their series. */
  readonly samples: Map<string, string>;
}

const COMMENT = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="(?:[^"\\]|\\.)*"/g;
const TYPES = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped']);
const SAMPLE =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\[\\"n])*",?)*)\})? ([+-]?Inf|NaN|[+-]?[0-9][0-9.eE+-]*|[+-]?\.[0-9]+)$/;
/** What libraries count about their own process: several parts have that, so it gets the part for a label. */
const OF_PROCESSES = /^(process|go|nodejs|promhttp)_/;
const SUFFIXES: Readonly<Record<string, RegExp>> = {
  histogram: /_(bucket|sum|count)$/,
  summary: /_(sum|count)$/,
};

/** One text of several, with each family once. A line that can't be read, or would contradict another, is left out. */
export function merge(told: readonly Told[]): Merged {
  const families = new Map<string, Family>();
  const leftOut = new Map<string, number>();
  for (const { part, text } of told) leftOut.set(part, (leftOut.get(part) ?? 0) + add(families, part, text));
  return { text: [...families].map(([name, family]) => written(name, family)).join(''), leftOut };
}

/** Answers how many lines were left out. */
function add(families: Map<string, Family>, part: string, text: string): number {
  const helps = new Map<string, string>();
  const types = new Map<string, string>();
  let leftOut = 0;
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const [, keyword, named = '', rest = ''] = COMMENT.exec(line) ?? [];
    if (keyword === 'HELP') helps.set(named, rest);
    else if (keyword === 'TYPE' && TYPES.has(rest)) types.set(named, rest);
    else if (keyword === undefined && line.startsWith('#')) continue;
    else if (!addSample(families, part, line, { helps, types })) leftOut += 1;
  }
  return leftOut;
}

interface Said {
  readonly helps: ReadonlyMap<string, string>;
  readonly types: ReadonlyMap<string, string>;
}

function addSample(
  families: Map<string, Family>,
  part: string,
  line: string,
  { helps, types }: Said,
): boolean {
  const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
  if (name === undefined || value === undefined || !isNumber(value)) return false;
  const family = familyOf(name, types);
  const type = types.get(family) ?? 'untyped';
  const known = families.get(family);
  if (known !== undefined && known.type !== type) return false;
  const all = OF_PROCESSES.test(name) ? [`part="${part}"`, labels].filter(Boolean).join(',') : labels;
  if (hasTwice(all)) return false;
  const series = all === '' ? name : `${name}{${all}}`;
  const { samples } = known ?? { samples: new Map<string, string>() };
  if (samples.has(series)) return false;
  samples.set(series, value);
  if (known === undefined) families.set(family, { help: helps.get(family), type, samples });
  return true;
}

function isNumber(value: string): boolean {
  // Prometheus refuses all of a scrape for one number that is too large for it.
  return /NaN|Inf/.test(value) || Number.isFinite(Number(value));
}

/** Prometheus refuses all of a scrape for one label that is there twice. */
function hasTwice(labels: string): boolean {
  const names = [...labels.matchAll(LABEL)].map(([, name]) => name);
  return new Set(names).size < names.length;
}

/** A histogram’s series are called after it, with something behind. */
function familyOf(name: string, types: ReadonlyMap<string, string>): string {
  if (types.has(name)) return name;
  for (const [type, suffix] of Object.entries(SUFFIXES)) {
    const family = name.replace(suffix, '');
    if (family !== name && types.get(family) === type) return family;
  }
  return name;
}

function written(name: string, { help, type, samples }: Family): string {
  const head = help === undefined ? [] : [`# HELP ${name} ${help}`];
  const lines = [...samples].map(([series, value]) => `${series} ${value}`);
  return [...head, `# TYPE ${name} ${type}`, ...lines, ''].join('\n');
}
