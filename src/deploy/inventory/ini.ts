import { expandHosts } from './ranges.ts';
import { type Complain, Draft, type Inventory } from './raw.ts';

const SECTION = /^\[([^\]:]+)(?::(vars|children|hosts))?\]\s*(?:[#;].*)?$/;
const GROUP = /^[A-Za-z_][\w.-]*$/;

/** Reads an inventory in Ansible's INI form (ansible.builtin.ini): hosts in groups, `:children` and `:vars`. */
export function readIni(text: string, complain: Complain): Inventory {
  const draft = new Draft();
  let section = { name: 'ungrouped', kind: 'hosts' };
  const declared = new Set(['all', 'ungrouped']);
  const spokenOf: [name: string, line: number][] = [];
  for (const [index, whole] of text.split(/\r?\n/).entries()) {
    const line = index + 1;
    const content = whole.trim();
    if (content === '' || /^[#;]/.test(content)) continue;
    if (content.includes('\uFFFD')) complain(line, 'is not UTF-8; save the file as UTF-8');
    if (content.startsWith('[') && (SECTION.test(content) || !/^\[[^\]]+\]\S/.test(content))) {
      const [, name = '', kind = 'hosts'] = SECTION.exec(content) ?? [];
      if (!GROUP.test(name))
        complain(line, `${content} is not a section; write [group], [group:vars] or [group:children]`);
      section = { name, kind };
      if (name !== '') draft.group(name);
      if (kind === 'vars') spokenOf.push([name, line]);
      else declared.add(name);
      continue;
    }
    if (section.name === '') continue; // its section is what is wrong
    if (section.kind === 'vars') readVariable(draft, section.name, content, line, complain);
    else if (section.kind === 'children') readChild(draft, section.name, content, line, complain);
    else readHost(draft, section.name, content, line, complain);
  }
  for (const [name, line] of spokenOf)
    if (name !== '' && !declared.has(name)) complain(line, `there is no group ${name}`);
  return draft;
}

function readHost(draft: Draft, group: string, content: string, line: number, complain: Complain): void {
  const words = splitWords(content);
  if (typeof words === 'string') {
    complain(line, words);
    return;
  }
  const [pattern = '', ...pairs] = words;
  const [variable, value] = pattern.split('=', 2); // what stands behind it may be a secret
  if (value !== undefined) {
    complain(line, `${variable} stands where a host should; variables of a group go under [${group}:vars]`);
    return;
  }
  const names = expandHosts(pattern);
  if (typeof names === 'string') {
    complain(line, `${pattern} ${names}`);
    return;
  }
  for (const name of names) {
    const variables = draft.host(name, line);
    draft.group(group).hosts.add(name);
    let last = '';
    for (const pair of pairs) {
      const at = pair.indexOf('=');
      if (at >= 1) {
        last = pair.slice(0, at);
        variables.set(last, { text: pair.slice(at + 1), line });
      } else complain(line, strayWord(pair, last));
    }
  }
}

/** Behind a variable it may be the rest of a password. */
function strayWord(word: string, variable: string): string {
  return variable === ''
    ? `${word} is not name=value`
    : `what stands behind ${variable} is not name=value; a value with blanks goes into quotes`;
}

/** Unlike on the line of a host, a value goes to the end of the line. */
function readVariable(draft: Draft, group: string, content: string, line: number, complain: Complain): void {
  const [, name = '', value] = /^([^\s:=]*)(?:\s*=\s*(.*))?/s.exec(content) ?? [];
  if (name === '' || value === undefined) {
    complain(line, `${name} is not name=value`); // what follows may be a secret
    return;
  }
  const text = unquoted(value);
  if (text === undefined)
    complain(line, `${name} has a # behind a blank; put the value into quotes`); // Ansible would not begin a comment there
  else draft.group(group).variables.set(name, { text, line });
}

function readChild(draft: Draft, group: string, content: string, line: number, complain: Complain): void {
  const name = content.replace(/\s+[#;].*$/, '');
  if (!GROUP.test(name)) {
    complain(line, `${name} is not the name of a group`);
    return;
  }
  draft.group(group).children.set(name, { text: name, line });
}

/** What is quoted, or a number, may have a comment behind it; `undefined` where it is not clear whether it is one. */
function unquoted(value: string): string | undefined {
  const [, , quoted, number] = /^(["'])(.*?)\1(?:\s+#.*)?$|^(\d+)\s+#.*$/s.exec(value) ?? [];
  return quoted ?? number ?? (/\s#/.test(value) ? undefined : value);
}

/** Words as a shell splits them: quotes keep blanks, ` #` begins a comment. */
function splitWords(content: string): readonly string[] | string {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (const [index, sign] of [...content].entries()) {
    if (quote !== '') {
      if (sign === quote) quote = '';
      else word += sign;
    } else if (/["']/.test(sign)) {
      quote = sign;
      word ??= '';
    } else if (/\s/.test(sign)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (sign === '#' && word === undefined && index > 0) break;
    else word = (word ?? '') + sign;
  }
  if (quote !== '') return `has a ${quote} that is not closed`;
  if (word !== undefined) words.push(word);
  return words;
}
