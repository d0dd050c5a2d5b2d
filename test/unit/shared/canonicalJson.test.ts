import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../main/shared/canonicalJson.ts';

describe('canonical JSON', () => {
  it('is the example of RFC 8785, section 3.2.2', () => {
    const example = String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`;
    expect(canonicalJson(JSON.parse(example))).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it('sorts names by UTF-16 code units at every depth, whatever order they had', () => {
    const one = {
      b: { z: 1, a: [{ y: 1, x: 2 }] },
      '€': 1,
      '\r': 2,
      '1': 3,
      '😀': 4,
      ö: 5,
      '\u0080': 6,
      '\ufb33': 7,
    };
    const names = Object.keys(JSON.parse(canonicalJson(one)) as object);
    expect(canonicalJson(Object.fromEntries(Object.entries(one).reverse()))).toBe(canonicalJson(one));
    // The example of section 3.2.3, and "b".
    expect(names).toEqual(['1', '\r', 'b', '\u0080', 'ö', '€', '😀', '\ufb33']);
    expect(canonicalJson(one)).toContain('{"a":[{"x":2,"y":1}],"z":1}');
  });

  it('leaves out what is undefined, as JSON.stringify does', () => {
    expect(canonicalJson({ a: undefined, b: null })).toBe('{"b":null}');
  });
});
