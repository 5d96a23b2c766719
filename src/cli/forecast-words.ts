import { day, span } from '../certificates/words.ts';
import { unreachable } from '../errors.ts';
import { sizeInWords } from '../low-water.ts';
import type { Forecast } from '../usage/forecast.ts';

/** When there is no more room, in a line. */
export function forecastInWords(forecast: Forecast, now: Date): string {
  switch (forecast.kind) {
    case 'unknown':
      return 'when it is full is not known yet: that takes three days of samples';
    case 'full':
      return `full on ${day(forecast.at)}, in ${span(forecast.at.getTime() - now.getTime())}, at ${sizeInWords(forecast.perDay)} more a day`;
    case 'not-within-a-year':
      return 'not full within a year, as it goes';
    case 'shrinking':
      return `gets emptier, by ${sizeInWords(-forecast.perDay)} a day`;
    default:
      return unreachable(forecast);
  }
}
