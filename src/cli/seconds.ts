import { WrongInput } from '../errors.ts';

/** For commander: a whole number of seconds. */
export function seconds(value: string): number {
  if (/^\d{1,6}$/.test(value)) return Number(value);
  throw new WrongInput([{ input: '--wait', message: `"${value}" is no number of seconds` }]);
}
