import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Calibration } from '../../src/tokens/calibrate.ts';
import { OutputPredictor } from '../../src/tokens/predict-output.ts';
import { seeded } from './texts.ts';

describe('Calibration', () => {
  const route = { provider: 'acme', model: 'large' };

  function learn(calibration: Calibration, ratio: number, answers: number): void {
    const random = seeded(answers);
    for (let answer = 0; answer < answers; answer++) {
      const estimatedTokens = 50 + random() ** 3 * 20_000;
      const realTokens = estimatedTokens * ratio * (0.95 + random() * 0.1);
      calibration.observe({ ...route, estimatedTokens, realTokens });
    }
  }

  it('starts at 1', () => {
    expect(new Calibration().correction('acme', 'large')).toEqual({ factor: 1, answers: 0 });
  });

  it('absorbs an upstream that counts 1.4 times within 100 answers', () => {
    const calibration = new Calibration();
    learn(calibration, 1.4, 100);
    const { factor, answers } = calibration.correction('acme', 'large');
    expect(factor).toBeGreaterThan(1.36);
    expect(factor).toBeLessThan(1.44);
    expect(answers).toBe(100);
    learn(calibration, 1, 100);
    expect(calibration.correction('acme', 'large').factor).toBeLessThan(1.04);
  });

  it('knows each provider and model on its own', () => {
    const calibration = new Calibration();
    learn(calibration, 1.4, 50);
    expect(calibration.correction('acme', 'small').factor).toBe(1);
    expect(calibration.correction('other', 'large').factor).toBe(1);
  });

  it('is moved little by one answer that is a thousand times off, or one huge prompt', () => {
    const calibration = new Calibration();
    learn(calibration, 1, 100);
    calibration.observe({ ...route, estimatedTokens: 100, realTokens: 100_000 });
    calibration.observe({ ...route, estimatedTokens: 1_000_000, realTokens: 1_400_000 });
    expect(calibration.correction('acme', 'large').factor).toBeLessThan(1.15);
  });

  it('stays within 0.25 and 4, whatever it is told', () => {
    const figure = fc.oneof(fc.double(), fc.integer({ min: -10, max: 1_000_000 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(figure, figure), { maxLength: 200 }), (figures) => {
        const calibration = new Calibration();
        for (const [estimatedTokens, realTokens] of figures) {
          calibration.observe({ ...route, estimatedTokens, realTokens });
        }
        const { factor } = calibration.correction('acme', 'large');
        expect(factor).toBeGreaterThanOrEqual(0.25);
        expect(factor).toBeLessThanOrEqual(4);
      }),
    );
  });
});

describe('OutputPredictor', () => {
  const asked = { model: 'large', client: 'alice', capTokens: null };

  function produce(predictor: OutputPredictor, meanTokens: number, answers: number): number[] {
    const random = seeded(meanTokens);
    return Array.from({ length: answers }, () => {
      // Long-tailed: exponential.
      const outputTokens = -Math.log(1 - random()) * meanTokens;
      predictor.observe({ ...asked, outputTokens });
      return outputTokens;
    });
  }

  it('starts as configured, within the cap', () => {
    const predictor = new OutputPredictor(512);
    expect(predictor.predict(asked)).toEqual({ meanTokens: 512, upperTokens: 512 });
    expect(predictor.predict({ ...asked, capTokens: 100 })).toEqual({ meanTokens: 100, upperTokens: 100 });
  });

  it('follows what was really produced', () => {
    const predictor = new OutputPredictor(512);
    for (let answer = 0; answer < 30; answer++) predictor.observe({ ...asked, outputTokens: 100 });
    const { meanTokens, upperTokens } = predictor.predict(asked);
    expect(meanTokens).toBeGreaterThan(99);
    expect(meanTokens).toBeLessThan(130);
    expect(upperTokens).toBeLessThan(260);
  });

  it('absorbs answers that grow 5 times within 100', () => {
    const predictor = new OutputPredictor(512);
    for (let answer = 0; answer < 300; answer++) predictor.observe({ ...asked, outputTokens: 300 });
    for (let answer = 0; answer < 100; answer++) predictor.observe({ ...asked, outputTokens: 1500 });
    const { meanTokens, upperTokens } = predictor.predict(asked);
    expect(meanTokens).toBeGreaterThan(1500 * 0.95);
    expect(upperTokens).toBeGreaterThan(1500 * 0.95);
    expect(upperTokens).toBeLessThan(1500 * 1.15);
  });

  it('puts the upper figure where about one answer in ten is longer', () => {
    const predictor = new OutputPredictor(512);
    produce(predictor, 800, 300);
    let longer = 0;
    const random = seeded(7);
    for (let answer = 0; answer < 2000; answer++) {
      const outputTokens = -Math.log(1 - random()) * 800;
      if (outputTokens > predictor.predict(asked).upperTokens) longer++;
      predictor.observe({ ...asked, outputTokens });
    }
    expect(longer / 2000).toBeGreaterThan(0.07);
    expect(longer / 2000).toBeLessThan(0.13);
  });

  it('never predicts more than the cap', () => {
    const predictor = new OutputPredictor(512);
    produce(predictor, 2000, 50);
    expect(predictor.predict({ ...asked, capTokens: 64 })).toEqual({ meanTokens: 64, upperTokens: 64 });
  });

  it('keeps answers under small caps apart from those under none', () => {
    const predictor = new OutputPredictor(512);
    for (let answer = 0; answer < 50; answer++) {
      predictor.observe({ ...asked, outputTokens: 3000 });
      predictor.observe({ ...asked, capTokens: 16, outputTokens: 3 });
    }
    expect(predictor.predict(asked).meanTokens).toBeGreaterThan(2900);
    expect(predictor.predict({ ...asked, capTokens: 20 }).meanTokens).toBeLessThan(16);
  });

  it("takes a new client's answers to be like those of others of the model, until it has answers of its own", () => {
    const predictor = new OutputPredictor(512);
    produce(predictor, 100, 50);
    expect(predictor.predict({ ...asked, client: 'bob' }).meanTokens).toBeLessThan(200);
    expect(predictor.predict({ ...asked, model: 'small' }).meanTokens).toBe(512);
    for (let answer = 0; answer < 3; answer++) predictor.observe({ ...asked, client: 'bob', outputTokens: 4000 });
    expect(predictor.predict({ ...asked, client: 'bob' }).meanTokens).toBeGreaterThan(2000);
    expect(predictor.predict({ ...asked, client: 'bob', capTokens: 8000 }).meanTokens).toBeGreaterThan(2000);
  });

  it('learns nothing from what is no number of tokens', () => {
    const predictor = new OutputPredictor(512);
    for (const outputTokens of [Number.NaN, Number.POSITIVE_INFINITY, -1])
      predictor.observe({ ...asked, outputTokens });
    expect(predictor.size).toBe(0);
  });

  it('forgets clients that have not been seen for the longest time', () => {
    const predictor = new OutputPredictor(512, 30);
    for (let client = 0; client < 1000; client++) {
      predictor.observe({ ...asked, client: `client-${client}`, outputTokens: 5 });
    }
    expect(predictor.size).toBeGreaterThanOrEqual(15);
    expect(predictor.size).toBeLessThanOrEqual(30);
  });

  it('lets an answer of nothing pull the figures down, not to zero for ever', () => {
    const predictor = new OutputPredictor(512);
    for (let answer = 0; answer < 500; answer++) predictor.observe({ ...asked, outputTokens: 0 });
    expect(predictor.predict(asked).upperTokens).toBeGreaterThanOrEqual(1);
    for (let answer = 0; answer < 100; answer++) predictor.observe({ ...asked, outputTokens: 1000 });
    expect(predictor.predict(asked).upperTokens).toBeGreaterThan(900);
  });
});
