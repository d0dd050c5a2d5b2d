// The checks of what goes to AWS, each made to fail and to warn.
import { describe } from 'vitest';
import { cloudCases } from '../rig/doctorCases/cloud.ts';
import { inProcess } from '../rig/doctorCases/machines.ts';
import { runCases } from './doctorCases.ts';

describe('on the way to AWS', () => runCases(inProcess(cloudCases)));
