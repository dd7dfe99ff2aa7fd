using PsyLite.Models;
using PsyLite.Training;
using PsyLite.Training.Kernels;
using PsyLite.Training.Losses;

namespace PsyLite.Tests.Training;

/// <summary>What adapters, compact weights and dropout promise beyond the golden numbers.</summary>
public sealed class AdapterTests
{
    private static readonly ModelConfig Config = new(VocabSize: 67, HiddenSize: 192, IntermediateSize: 128, Layers: 2, Heads: 6, KeyValueHeads: 2, ContextLength: 64);

    [Fact]
    public void Any_number_of_threads_loads_the_same_quantised_weights()
    {
        var loaded = new[] { 1, 3 }.Select(threads =>
        {
            using var pool = new WorkerPool(threads);
            using var weights = ParameterSet.Frozen(Config, Quantisation.Nf4);
            weights.Load([.. weights.All.Select((p, n) => p.Source with { Read = (start, values) => Wave(n, start, values) })], pool);
            return weights.All.SelectMany(p => Decoded(p)).ToArray();
        }).ToArray();
        Assert.Equal(loaded[0], loaded[1]);
        Assert.InRange(loaded[0].Distinct().Count(), 1000, loaded[0].Length);
    }

    [Fact]
    public void Fresh_adapters_change_nothing_and_only_they_have_gradients()
    {
        using var pool = new WorkerPool(2);
        using var plain = new Transformer(Config, pool, 40);
        using var adapted = new Transformer(Config, pool, 40, new TuningOptions(new LoraOptions(Rank: 3, Dropout: 0.5f)));
        plain.Parameters.Initialise(7);
        adapted.Parameters.Initialise(7);
        adapted.Adapters!.Initialise(1);
        var batch = RandomModel.Batch(Config, [20, 15], seed: 2);
        Assert.Equal(plain.Loss(batch), adapted.Loss(batch));
        adapted.LossAndGradients(batch);
        Assert.All(adapted.Parameters.All, p => Assert.False(p.IsTrainable));
        Assert.Equal(Config.Layers * 5 * 2, adapted.Trainable.All.Count);

        // B is 0, so A has no gradient yet; B has.
        Assert.All(adapted.Trainable.All, p => Assert.Equal(p.Name.Contains("lora_B"), p.Gradient.ContainsAnyExcept(0f)));
    }

    [Theory]
    [InlineData(Quantisation.Nf4)]
    [InlineData(Quantisation.Bf16)]
    public void Decoding_inside_the_product_gives_the_bits_of_decoding_before_it(Quantisation quantisation)
    {
        using var pool = new WorkerPool(2);
        using var compact = new Transformer(Config, pool, 40, new TuningOptions(new LoraOptions(Rank: 3), quantisation));
        using var dense = new Transformer(Config, pool, 40, new TuningOptions(new LoraOptions(Rank: 3)));
        compact.Parameters.Initialise(3);
        compact.Adapters!.Initialise(4);
        foreach (var (from, to) in compact.Parameters.All.Concat(compact.Adapters.All).Zip(dense.Parameters.All.Concat(dense.Adapters!.All)))
        {
            to.Load(from.Source);
        }

        var batch = RandomModel.Batch(Config, [26, 13], seed: 5);
        Assert.Equal(dense.LossAndGradients(batch), compact.LossAndGradients(batch));
        Assert.All(dense.Trainable.All.Zip(compact.Trainable.All), pair => Assert.Equal(pair.First.Gradient.ToArray(), pair.Second.Gradient.ToArray()));
    }

    [Fact]
    public void Every_engine_reads_compact_weights_alike()
    {
        using var pool = new WorkerPool(2);
        using var matrix = new Nf4Matrix(96, 640);
        var random = new Random(9);
        matrix.Encode((_, values) =>
        {
            foreach (ref var value in values)
            {
                value = random.NextSingle() - 0.5f;
            }
        });
        using var buffers = new NativeBuffer((96 * 640) + (30 * 640) + (2 * 30 * 640));
        var dense = buffers.Matrix(96, 640);
        for (var row = 0; row < 96; row++)
        {
            matrix.Decode(row, 0, dense.RowSpan(row));
        }

        var x = buffers.Matrix(30, 640, 96 * 640);
        foreach (ref var value in x.AsSpan())
        {
            value = random.NextSingle() - 0.5f;
        }

        foreach (var engine in GemmTests.Supported)
        {
            using var gemm = new Gemm(pool, engine);
            var (right, wanted) = (buffers.Matrix(30, 96, 126 * 640), buffers.Matrix(30, 96, 156 * 640));
            gemm.Multiply(Product.TransposedRight(x, matrix, right));
            gemm.Multiply(Product.TransposedRight(x, dense, wanted));
            Assert.Equal(wanted.AsSpan().ToArray(), right.AsSpan().ToArray());
            var (back, expected) = (buffers.Matrix(30, 640, 126 * 640), buffers.Matrix(30, 640, 156 * 640));
            var dy = buffers.Matrix(30, 96, 96 * 640);
            gemm.Multiply(Product.Plain(dy, matrix, back));
            gemm.Multiply(Product.Plain(dy, dense, expected));
            Assert.Equal(expected.AsSpan().ToArray(), back.AsSpan().ToArray());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Dropout_has_one_mask_forward_and_backward_and_another_for_each_seed(bool recompute)
    {
        // The gradient of a masked loss is the slope of that loss only if both passes drop the same values.
        using var pool = new WorkerPool(2);
        using var model = new Transformer(Config, pool, 40, new TuningOptions(new LoraOptions(Rank: 3, Alpha: 6, Dropout: 0.3f, Output: true), Recompute: recompute));
        model.Parameters.Initialise(3);
        model.Adapters!.Initialise(4);
        var random = new Random(8);
        foreach (var b in model.Adapters.All.Where(p => p.Name.Contains("lora_B")))
        {
            foreach (ref var value in b.Values)
            {
                value = random.NextSingle() - 0.5f;
            }
        }

        var batch = RandomModel.Batch(Config, [22, 11], seed: 5);
        model.DropoutSeed = 11;
        var loss = model.LossAndGradients(batch).Mean;
        foreach (var name in new[] { "model.layers.0.attention.wqkv.lora_A.weight", "model.layers.1.feed_forward.w2.lora_A.weight", "model.layers.0.feed_forward.w1.lora_B.weight", "output.lora_A.weight" })
        {
            var parameter = model.Adapters[name];
            model.Trainable.ClearGradients();
            model.LossAndGradients(batch);
            var gradient = parameter.Gradient.ToArray();
            var i = Array.IndexOf(gradient, gradient.MaxBy(Math.Abs));
            var (step, kept) = (2e-2f, parameter.Values[i]);
            parameter.Values[i] = kept + step;
            var up = model.LossAndGradients(batch).Mean;
            parameter.Values[i] = kept - step;
            var down = model.LossAndGradients(batch).Mean;
            parameter.Values[i] = kept;
            Assert.Equal(gradient[i], (up - down) / (2 * step), Math.Abs(gradient[i]) * 0.02);
        }

        Assert.Equal(loss, model.LossAndGradients(batch).Mean);
        model.DropoutSeed = 12;
        Assert.NotEqual(loss, model.LossAndGradients(batch).Mean);
        model.DropoutSeed = null;
        Assert.Equal(model.Loss(batch), model.LossAndGradients(batch));
    }

    [Fact]
    public void Dropout_drops_its_share_and_keeps_the_mean()
    {
        using var buffers = new NativeBuffer(2 * 400 * 250);
        var (x, y) = (buffers.Matrix(400, 250), buffers.Matrix(400, 250, 400 * 250));
        x.AsSpan().Fill(1f);
        DropoutKernel.Apply(x, y, key: 5, rate: 0.1f, firstRow: 0, 0, 400);
        var values = y.AsSpan().ToArray();
        Assert.InRange(values.Count(v => v == 0f) / (double)values.Length, 0.095, 0.105);
        Assert.InRange(values.Average(), 0.99, 1.01);
        Assert.All(Enumerable.Range(0, 250), column => Assert.InRange(Enumerable.Range(0, 400).Count(row => y.RowSpan(row)[column] == 0f), 15, 70));

        // A part of the rows has the mask of those rows.
        DropoutKernel.Apply(x, x, key: 5, rate: 0.1f, firstRow: 100, 0, 1);
        Assert.Equal(y.RowSpan(100).ToArray(), x.RowSpan(0).ToArray());
    }

    [Fact]
    public void The_weights_of_ORPO_are_the_slope_of_its_loss()
    {
        var batch = new PreferenceBatch([([1, 2, 3, 4, 5], 2), ([1, 2, 6], 2), ([7, 8, 9, 9], 1), ([7, 5, 5], 1)], promptLabels: true);
        var random = new Random(4);
        var logs = Enumerable.Range(0, batch.Row.Length).Select(_ => -random.NextSingle() * 3).ToArray();
        foreach (var nll in Enum.GetValues<OrpoNll>())
        {
            var loss = new OrpoLoss(new OrpoOptions(0.3f, nll));
            var (counts, weights, unused) = (loss.Count(batch) * 1.5, new float[logs.Length], new float[logs.Length]);
            loss.Score(batch, logs, counts, weights);
            for (var t = 0; t < logs.Length; t++)
            {
                double At(float shift)
                {
                    var shifted = logs.ToArray();
                    shifted[t] += shift;
                    return loss.Score(batch, shifted, counts, unused).Loss;
                }

                Assert.Equal(-weights[t], (At(1 / 256f) - At(-1 / 256f)) * 128, 2e-5);
            }
        }
    }

    [Fact]
    public void A_certain_reply_leaves_the_likelihood_and_drops_its_pair_from_the_odds()
    {
        var batch = new PreferenceBatch([([1, 2, 3], 1), ([1, 4, 5], 1), ([1, 2, 3], 1), ([1, 4, 5], 1)], promptLabels: false);
        var loss = new OrpoLoss(new OrpoOptions(0.5f));
        var weights = new float[batch.Row.Length];
        var sum = loss.Score(batch, [0, 0, 0, -1, -1, 0, -0.5f, -0.5f, 0, -1, -1, 0], loss.Count(batch), weights);
        Assert.True(double.IsFinite(sum.Loss));
        Assert.All(weights, w => Assert.True(float.IsFinite(w)));
        Assert.Equal(0f, weights[3]);
        Assert.NotEqual(0f, weights[9]);
        Assert.Equal(Math.Log(1e-9), OrpoLoss.Log1MExp(-1e-9), 1e-6);
        Assert.Equal(-Math.Exp(-50), OrpoLoss.Log1MExp(-50), 1e-30);
    }

    private static void Wave(int tensor, long start, Span<float> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = MathF.Sin(tensor + ((start + i) * 0.37f));
        }
    }

    private static float[] Decoded(Parameter parameter)
    {
        var values = new float[parameter.Count];
        parameter.Source.Read(0, values);
        return values;
    }
}
