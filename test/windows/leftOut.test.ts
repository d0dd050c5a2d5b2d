// Stands for all of the project `windows` where the program cannot be run as a Windows program, and says why not.
import { it } from 'vitest';
import { whyNoWindows } from '../../scripts/windows.mjs';

it.skip(`the Windows program under Wine: left out, ${whyNoWindows() ?? 'for no reason'}`, () => undefined);
