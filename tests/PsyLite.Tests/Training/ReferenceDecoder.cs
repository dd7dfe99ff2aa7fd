using PsyLite.Models;
using PsyLite.Training;

namespace PsyLite.Tests.Training;

/// <summary>
/// The decoder's loss once more in double precision, scalar and unhurried: one token at a time, one formula per line. Its
/// finite differences are the oracle for the hand-written gradients.
/// </summary>
internal sealed class ReferenceDecoder(ModelConfig config, IReadOnlyDictionary<string, double[]> weights)
{
    /// <summary>Sum over labelled tokens of -weight * log p(label).</summary>
    public double Loss(TrainingBatch batch)
    {
        var (sum, ends) = (0.0, batch.SegmentStarts.Skip(1).Append(batch.Length).ToArray());
        for (var segment = 0; segment < ends.Length; segment++)
        {
            var start = batch.SegmentStarts[segment];
            var hidden = Hidden(batch.Tokens[start..ends[segment]]);
            for (var t = 0; t < hidden.Length; t++)
            {
                if (batch.Labels[start + t] != TrainingBatch.Ignored)
                {
                    var logits = MatVec("output.weight", hidden[t]);
                    var top = logits.Max();
                    sum += (batch.Weights?[start + t] ?? 1.0) * (top + Math.Log(logits.Sum(l => Math.Exp(l - top))) - logits[batch.Labels[start + t]]);
                }
            }
        }

        return sum;
    }

    private double[][] Hidden(int[] tokens)
    {
        var x = tokens.Select(t => weights["model.tok_embeddings.weight"][(t * config.HiddenSize)..((t + 1) * config.HiddenSize)]).ToArray();
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            var attended = Attention(prefix, [.. x.Select(row => Norm(prefix + "attention_norm.weight", row))]);
            x = [.. x.Zip(attended, Add)];
            x = [.. x.Select(row => Add(row, FeedForward(prefix, Norm(prefix + "ffn_norm.weight", row))))];
        }

        return [.. x.Select(row => Norm("model.norm.weight", row))];
    }

    private double[][] Attention(string prefix, double[][] x)
    {
        var (size, group) = (config.HeadSize, config.QueriesPerGroup);
        var qkv = x.Select(row => MatVec(prefix + "attention.wqkv.weight", row)).ToArray();
        double[] Slot(int t, int pair, int slot) => qkv[t][(((pair * (group + 2)) + slot) * size)..(((pair * (group + 2)) + slot + 1) * size)];
        var output = new double[x.Length][];
        for (var t = 0; t < x.Length; t++)
        {
            var heads = new List<double>();
            for (var head = 0; head < config.Heads; head++)
            {
                var pair = head / group;
                var query = Rotate(Slot(t, pair, head % group), t);
                var scores = Enumerable.Range(0, t + 1).Select(s => Math.Exp(Dot(query, Rotate(Slot(s, pair, group), s)) / Math.Sqrt(size))).ToArray();
                heads.AddRange(Enumerable.Range(0, size).Select(i => Enumerable.Range(0, t + 1).Sum(s => scores[s] * Slot(s, pair, group + 1)[i]) / scores.Sum()));
            }

            output[t] = MatVec(prefix + "attention.wo.weight", [.. heads]);
        }

        return output;
    }

    private double[] FeedForward(string prefix, double[] x)
    {
        var (gate, up) = (MatVec(prefix + "feed_forward.w1.weight", x), MatVec(prefix + "feed_forward.w3.weight", x));
        return MatVec(prefix + "feed_forward.w2.weight", [.. gate.Zip(up, (g, u) => g / (1 + Math.Exp(-g)) * u)]);
    }

    private double[] Rotate(double[] head, int position)
    {
        var half = head.Length / 2;
        var result = new double[head.Length];
        for (var i = 0; i < half; i++)
        {
            var angle = position * Math.Pow(config.RopeBase, -(double)i / half);
            result[i] = (head[i] * Math.Cos(angle)) - (head[half + i] * Math.Sin(angle));
            result[half + i] = (head[half + i] * Math.Cos(angle)) + (head[i] * Math.Sin(angle));
        }

        return result;
    }

    private double[] Norm(string name, double[] x)
    {
        var rms = Math.Sqrt(x.Average(v => v * v) + config.RmsNormEpsilon);
        return [.. x.Zip(weights[name], (v, w) => w * v / rms)];
    }

    private double[] MatVec(string name, double[] x)
    {
        var w = weights[name];
        return [.. Enumerable.Range(0, w.Length / x.Length).Select(row => Dot(w.AsSpan(row * x.Length, x.Length), x))];
    }

    private static double[] Add(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }
}
