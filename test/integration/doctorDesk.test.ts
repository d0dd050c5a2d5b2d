// The desk's checks, each made to fail and to warn on the built program.
import { describe } from 'vitest';
import { deskCases } from '../rig/doctorCases/desk.ts';
import { runCases } from './doctorCases.ts';

describe('the desk', () => runCases(deskCases));
