import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { type Problem, WrongInput } from '../errors.ts';

/** A value of the file, and the line to name when it is wrong. */
export interface Place {
  readonly value: unknown;
  readonly line: number;
}

/** Every plain text is a text: a user may be called 123, or `no`. */
export const TEXTS_ONLY = { schema: 'failsafe', prettyErrors: false } as const;
/** yaml's own check compares each key with each: with 20,000 users it takes seconds. */
const KEYS_LATER = { uniqueKeys: false } as const;

/** Reads lists and maps of texts, and collects what is wrong with them instead of stopping at the first. */
export class YamlReader {
  readonly root: Place;
  /** No line says anything. */
  readonly blank: boolean;
  readonly #lines = new LineCounter();
  readonly #problems: { readonly line: number; readonly message: string }[] = [];

  constructor(text: string) {
    const undecodable = text.split('\n').findIndex((line) => line.includes('\uFFFD'));
    if (undecodable >= 0) this.problem(undecodable + 1, 'is not UTF-8; save the file as UTF-8');
    const document = parseDocument(text, { ...TEXTS_ONLY, ...KEYS_LATER, lineCounter: this.#lines });
    for (const { pos, message } of [...document.errors, ...document.warnings])
      this.problem(this.#lines.linePos(pos[0]).line, `is not YAML: ${message}`);
    // What stands after a mistake of syntax is read as something that nobody meant.
    const broken = undecodable >= 0 || document.errors.length > 0;
    this.blank = !broken && isEmpty(document.contents);
    this.root = { value: broken ? undefined : document.contents, line: 1 };
  }

  problem(line: number, message: string): void {
    this.#problems.push({ line, message });
  }

  /** @throws WrongInput with every problem, by its line */
  expectNone(file: string): void {
    if (this.#problems.length === 0) return;
    const sorted = [...this.#problems].sort((one, other) => one.line - other.line);
    throw new WrongInput(sorted.map(({ line, message }): Problem => ({ input: `${file}:${line}`, message })));
  }

  /** The entries of a map. Nothing at all is an empty one: its lines may be comments. */
  map({ value, line }: Place, example: string): (Place & { readonly name: string })[] {
    if (isEmpty(value)) return [];
    if (!isMap(value)) {
      this.#wrongShape(value, line, example);
      return [];
    }
    const seen = new Set<string>();
    return value.items.flatMap(({ key, value: of }) => {
      const name = isScalar(key) ? key.value : undefined;
      const at = this.#lineOf(key, line);
      if (typeof name === 'string' && seen.has(name))
        this.problem(at, `${name} is there twice; put both together`);
      if (typeof name === 'string') seen.add(name);
      if (typeof name === 'string' && name !== '') return [{ name, value: of, line: this.#lineOf(of, at) }];
      this.#wrongShape(key, at, example);
      return [];
    });
  }

  /** A map of which the keys are known. */
  fields<Key extends string>(
    place: Place,
    keys: readonly Key[],
    example: string,
  ): Partial<Record<Key, Place>> {
    const found: Partial<Record<Key, Place>> = {};
    for (const { name, value, line } of this.map(place, example)) {
      const key = keys.find((each) => each === name);
      if (key === undefined) this.problem(line, `${name} is not known here; there is ${keys.join(', ')}`);
      else found[key] = { value, line };
    }
    return found;
  }

  /** The texts of a list. Nothing at all is an empty one. */
  list({ value, line }: Place, example: string): { readonly text: string; readonly line: number }[] {
    if (isEmpty(value)) return [];
    if (!isSeq(value)) {
      this.#wrongShape(value, line, example);
      return [];
    }
    return value.items.flatMap((item) => {
      const at = this.#lineOf(item, line);
      if (isScalar(item) && typeof item.value === 'string') return [{ text: item.value, line: at }];
      this.#wrongShape(item, at, example);
      return [];
    });
  }

  /** The items of a list, whatever they are. Nothing at all is an empty one. */
  items({ value, line }: Place, example: string): Place[] {
    if (isEmpty(value)) return [];
    if (isSeq(value)) return value.items.map((item) => ({ value: item, line: this.#lineOf(item, line) }));
    this.#wrongShape(value, line, example);
    return [];
  }

  /** A single text, which is the same as a list of it. */
  texts(place: Place, example: string): { readonly text: string; readonly line: number }[] {
    const { value, line } = place;
    const single = isScalar(value) && !isEmpty(value) && typeof value.value === 'string';
    return single ? [{ text: String(value.value), line }] : this.list(place, example);
  }

  #wrongShape(value: unknown, line: number, example: string): void {
    // `*` begins the name of an alias: what was meant is a pattern.
    const why = isAlias(value)
      ? `*${value.source} needs quotes around it, as YAML means something else`
      : 'is of another shape';
    this.problem(line, `${why}; right would be ${example}`);
  }

  #lineOf(value: unknown, fallback: number): number {
    const start = isNode(value) ? value.range?.[0] : undefined;
    return start === undefined ? fallback : this.#lines.linePos(start).line;
  }
}

function isEmpty(value: unknown): boolean {
  return (
    value === undefined || value === null || (isScalar(value) && value.value === '' && value.type === 'PLAIN')
  );
}
