import { parseDestination } from '../../remote/destination.ts';

/** A text of an inventory, and the line to name when it is wrong. */
export interface Said {
  readonly text: string;
  readonly line: number;
}

export type Variables = ReadonlyMap<string, Said>;

/** What an inventory says of a group. A host or a group may be spoken of in several places. */
export interface Group {
  readonly hosts: ReadonlySet<string>;
  readonly children: ReadonlyMap<string, Said>;
  readonly variables: Variables;
}

/** An inventory as it is written, before anybody asks what its variables mean. */
export interface Inventory {
  /** In the order in which they are first named, by the line of that. */
  readonly hosts: ReadonlyMap<string, number>;
  readonly hostVariables: ReadonlyMap<string, Variables>;
  readonly groups: ReadonlyMap<string, Group>;
}

interface OpenGroup {
  readonly hosts: Set<string>;
  readonly children: Map<string, Said>;
  readonly variables: Map<string, Said>;
}

/** An inventory that is being read. */
export class Draft implements Inventory {
  readonly hosts = new Map<string, number>();
  readonly hostVariables = new Map<string, Map<string, Said>>();
  readonly groups = new Map<string, OpenGroup>();

  host(name: string, line: number): Map<string, Said> {
    if (!this.hosts.has(name)) this.hosts.set(name, line);
    const variables = this.hostVariables.get(name) ?? portIn(name, line);
    this.hostVariables.set(name, variables);
    return variables;
  }

  group(name: string): OpenGroup {
    const group = this.groups.get(name) ?? { hosts: new Set(), children: new Map(), variables: new Map() };
    this.groups.set(name, group);
    return group;
  }
}

/** `name:port` is the same as the variable, wherever the name then leads to. */
function portIn(name: string, line: number): Map<string, Said> {
  const place = parseDestination(name);
  if (typeof place === 'string' || place.port === undefined) return new Map();
  return new Map([['ansible_port', { text: String(place.port), line }]]);
}

/** Takes down what is wrong with a line. */
export type Complain = (line: number, message: string) => void;
