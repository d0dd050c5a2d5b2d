// The checks of pictures and disks, each made to fail and to warn on the built program.
import { describe } from 'vitest';
import { captureCases } from '../rig/doctorCases/capture.ts';
import { runCases } from './doctorCases.ts';

describe('capture and disk', () => runCases(captureCases));
