// The checks of what goes to AWS, each made to fail and to warn on the built program.
import { describe } from 'vitest';
import { cloudCases } from '../rig/doctorCases/cloud.ts';
import { runCases } from './doctorCases.ts';

describe('on the way to AWS', () => runCases(cloudCases));
