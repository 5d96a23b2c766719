import type { HandedOver } from '../app/move/hand-over.ts';
import type { Place } from '../app/move/place.ts';
import type { Travel } from '../app/move/travel.ts';
import { sizeInWords } from '../low-water.ts';
import type { TakenBack } from '../move/taken-back.ts';
import { registryUrl, type Settings } from '../settings/settings.ts';
import { utcMinute } from '../system/clock.ts';
import type { StepRecord } from './story.ts';
import type { Terminal } from './terminal.ts';

/** What a move does, for who is asked. */
export function showMovePlan(terminal: Terminal, { settings, goal, far }: Travel, place: Place): void {
  const { staged, bytes, programs, docker } = place;
  const { data } = staged;
  const installs = [...programs, ...(docker === undefined ? [] : [docker])].map(({ phrase }) => phrase);
  const set = Object.keys(goal.set);
  const images =
    data === undefined || bytes === undefined
      ? 'stay in their bucket, which both use one after the other'
      : `${sizeInWords(bytes)}, to ${data}`;
  terminal.table([
    ['Registry', `${registryUrl(settings)} moves to ${far.host.name}, into ${goal.folder}`],
    ['Images', images],
    ...(installs.length === 0 ? [] : [['There', installs.join('\n')] as const]),
    ['Settings', set.length === 0 ? 'the same' : `the same, but for ${set.join(', ')}`],
    [
      'Then',
      'images are copied while everything goes on. Then writes are closed here for good, what changed meanwhile is copied, and the registry starts there',
    ],
  ]);
}

/** What there still is of a registry that was stopped for good. @param to where it is now */
export function showLeftBehind(terminal: Terminal, { domain, storage }: Settings, to: string): void {
  const what =
    storage.kind === 's3'
      ? `Users and certificates are still here. The images are in their bucket, which ${to} uses: leave it alone.`
      : 'Images, users and certificates are still here.';
  terminal.paragraph(`${what} To take away all that is here: npm run uninstall -- --purge ${domain}`);
}

/** What is to be done now, and what clients see meanwhile. */
export function showHandOver(terminal: Terminal, hand: HandedOver): void {
  const { settings, to, from, addresses, closed, byAddress } = hand;
  const target = addresses.length === 0 ? to : addresses.join(', ');
  const now = from.length === 0 ? '' : ` (now ${from.join(', ')})`;
  const names = [
    ...settings.names,
    ...(settings.mirror?.domain === undefined ? [] : [settings.mirror.domain]),
  ];
  const dns = byAddress
    ? `${settings.domain} is an address: give it to ${to}, or tell clients the new one`
    : names.map((name) => `${name}${name === settings.domain ? now : ''} → ${target}`).join('\n');
  terminal.line();
  terminal.table([
    ['Moved', `writes are open on ${to}, and closed here; for ${Math.round(closed)} s nobody could write`],
    ['DNS', dns],
    [
      'Clients',
      'until they see the new address: pulls from here go on, pushes get 503 and are to be tried again',
    ],
    ['Then', 'npm run move-to -- --finish   stops this one; its images stay'],
    ['Or', 'npm run move-to -- --cancel   goes back to this one'],
  ]);
}

export function showTakenBack(terminal: Terminal, { other, at }: TakenBack): void {
  terminal.line(`Nothing is left to do: the move to ${other} was taken back on ${utcMinute(at)}.`);
}

/** A hand-over for programs. */
export function handOverAsJson(hand: HandedOver, steps: readonly StepRecord[]): string {
  const { settings, to, folder, from, addresses, closed } = hand;
  return `${JSON.stringify({ to, folder, name: settings.domain, from, addresses, closed, steps }, null, 2)}\n`;
}
