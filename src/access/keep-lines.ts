import { parseDocument } from 'yaml';
import { TEXTS_ONLY } from './yaml-reader.ts';

/**
 * Writing YAML anew moves blanks and line breaks. So the lines before and after the change are taken as they stood, found
 * by what is on them besides blanks.
 * @param text as it stood
 * @param before the same, written anew
 * @param after written anew with a change
 */
export function keepLines(text: string, before: string, after: string): string {
  const [stood, old, now] = [lines(text), lines(before), lines(after)];
  const head = sharedLines(stood, old, now);
  const [stoodRest, nowRest] = [stood.slice(head.stood), now.slice(head.now)];
  const tail = sharedLines(stoodRest.toReversed(), old.slice(head.now).toReversed(), nowRest.toReversed());
  const kept = [
    ...stood.slice(0, head.stood),
    ...nowRest.slice(0, nowRest.length - tail.now),
    ...stoodRest.slice(stoodRest.length - tail.stood),
  ];
  const result = kept.map((line) => `${line}\n`).join('');
  const same = inkOf(result) === inkOf(after) && meaning(result) === meaning(after);
  return same ? result : after;
}

/** How many lines from the first on say in all three the same, counted in the text as it stood and in the new one. */
function sharedLines(stood: readonly string[], old: readonly string[], now: readonly string[]) {
  let shared = { stood: 0, now: 0 };
  let [oldInk, stoodInk, at] = [0, 0, 0];
  for (const [index, line] of old.entries()) {
    if (line !== now[index]) break;
    oldInk += inkOf(line).length;
    while (stoodInk < oldInk && at < stood.length) {
      stoodInk += inkOf(stood[at] ?? '').length;
      at += 1;
    }
    if (stoodInk === oldInk && inkOf(line) !== '') shared = { stood: at, now: index + 1 };
  }
  return shared;
}

function inkOf(text: string): string {
  return text.replace(/\s/g, '');
}

function meaning(text: string): string {
  const document = parseDocument(text, TEXTS_ONLY);
  return document.errors.length > 0 ? '' : JSON.stringify(document.toJS());
}

function lines(text: string): string[] {
  return text.replace(/\n$/, '').split('\n');
}
