import { restoreDate } from './real-date.ts';

restoreDate();
