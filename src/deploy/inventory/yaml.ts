import { type Place, YamlReader } from '../../access/yaml-reader.ts';
import { expandHosts } from './ranges.ts';
import { Draft, type Inventory, type Said } from './raw.ts';

const GROUP_EXAMPLE = 'hosts:, children: and vars: with what is in each';

/**
 * Reads an inventory in Ansible's YAML form (ansible.builtin.yaml): groups with `hosts`, `children` and `vars`.
 * @throws WrongInput with every line that is wrong
 */
export function readYaml(text: string, file: string): Inventory {
  const reader = new YamlReader(text);
  const draft = new Draft();
  for (const { name, ...place } of reader.map(reader.root, 'all: with its hosts'))
    readGroup(reader, draft, name, place);
  reader.expectNone(file);
  return draft;
}

function readGroup(reader: YamlReader, draft: Draft, name: string, place: Place): void {
  const group = draft.group(name);
  const { hosts, children, vars } = reader.fields(place, ['hosts', 'children', 'vars'], GROUP_EXAMPLE);
  for (const host of hosts === undefined ? [] : reader.map(hosts, 'name: with its variables')) {
    const names = expandHosts(host.name);
    if (typeof names === 'string') reader.problem(host.line, `${host.name} ${names}`);
    else
      for (const each of names) {
        group.hosts.add(each);
        readVariables(reader, host, draft.host(each, host.line));
      }
  }
  for (const child of children === undefined ? [] : reader.map(children, 'name: with its hosts')) {
    group.children.set(child.name, { text: child.name, line: child.line });
    readGroup(reader, draft, child.name, child);
  }
  if (vars !== undefined) readVariables(reader, vars, group.variables);
}

/** A list is the same as its texts with commas between them. */
function readVariables(reader: YamlReader, place: Place, into: Map<string, Said>): void {
  for (const { name, ...value } of reader.map(place, 'name: value')) {
    const texts = reader.texts(value, 'a text, or a list of texts');
    into.set(name, { text: texts.map(({ text }) => text).join(','), line: value.line });
  }
}
