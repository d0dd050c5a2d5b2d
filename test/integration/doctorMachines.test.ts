// `sightline doctor` as the built program on machines on which several things are wrong.
import { describe } from 'vitest';
import { machines } from '../rig/doctorCases/machines.ts';
import { runMachines } from './doctorCases.ts';

describe('a machine with', () => runMachines(machines));
