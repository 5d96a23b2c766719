import { expandHosts } from './ranges.ts';
import { type Complain, Draft, type Inventory, type Said } from './raw.ts';

const SECTION = /^\[([^\]:]+)(?::(vars|children|hosts))?\]\s*(?:[#;].*)?$/;
const GROUP = /^[A-Za-z_][\w.-]*$/;

/** Reads an inventory in Ansible's INI form (ansible.builtin.ini): hosts in groups, `:children` and `:vars`. */
export function readIni(text: string, complain: Complain): Inventory {
  const draft = new Draft();
  let section = { name: 'ungrouped', kind: 'hosts' };
  for (const [index, whole] of text.split(/\r?\n/).entries()) {
    const line = index + 1;
    const content = whole.trim();
    if (content === '' || /^[#;]/.test(content)) continue;
    if (content.startsWith('[') && (SECTION.test(content) || !/^\[[^\]]+\]\S/.test(content))) {
      const [, name = '', kind = 'hosts'] = SECTION.exec(content) ?? [];
      if (!GROUP.test(name))
        complain(line, `${content} is not a section; write [group], [group:vars] or [group:children]`);
      section = { name, kind };
      if (name !== '') draft.group(name);
      continue;
    }
    if (section.name === '') continue; // its section is what is wrong
    if (section.kind === 'vars') readVariable(draft, section.name, content, line, complain);
    else if (section.kind === 'children') readChild(draft, section.name, content, line, complain);
    else readHost(draft, section.name, content, line, complain);
  }
  return draft;
}

function readHost(draft: Draft, group: string, content: string, line: number, complain: Complain): void {
  const words = splitWords(content);
  if (typeof words === 'string') {
    complain(line, words);
    return;
  }
  const [pattern = '', ...pairs] = words;
  const names = expandHosts(pattern);
  if (typeof names === 'string') {
    complain(line, `${pattern} ${names}`);
    return;
  }
  if (pattern.includes('=')) {
    complain(line, `${pattern} stands where a host should; variables of a group go under [${group}:vars]`);
    return;
  }
  for (const name of names) {
    const variables = draft.host(name, line);
    draft.group(group).hosts.add(name);
    for (const pair of pairs) {
      const at = pair.indexOf('=');
      if (at < 1) complain(line, `${pair} is not name=value`);
      else variables.set(pair.slice(0, at), { text: pair.slice(at + 1), line });
    }
  }
}

/** Unlike on the line of a host, a value goes to the end of the line. */
function readVariable(draft: Draft, group: string, content: string, line: number, complain: Complain): void {
  const at = content.indexOf('=');
  if (at < 1) {
    complain(line, `${content} is not name=value`);
    return;
  }
  const value = content.slice(at + 1).trim();
  const said: Said = { text: unquoted(value), line };
  draft.group(group).variables.set(content.slice(0, at).trim(), said);
}

function readChild(draft: Draft, group: string, content: string, line: number, complain: Complain): void {
  const name = content.replace(/\s+[#;].*$/, '');
  if (!GROUP.test(name)) {
    complain(line, `${name} is not the name of a group`);
    return;
  }
  draft.group(group).children.set(name, { text: name, line });
}

function unquoted(value: string): string {
  return /^(["'])(.*?)\1(?:\s+#.*)?$/s.exec(value)?.[2] ?? value.replace(/\s+#.*$/, '');
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
