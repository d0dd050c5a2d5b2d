// The checks of frames and disks, each made to fail and to warn.
import { describe } from 'vitest';
import { captureCases } from '../rig/doctorCases/capture.ts';
import { inProcess } from '../rig/doctorCases/machines.ts';
import { runCases } from './doctorCases.ts';

describe('capture and disk', () => runCases(inProcess(captureCases)));
