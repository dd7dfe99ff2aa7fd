using System.Buffers;
using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PsyLite.Agent.Risk.Learned;

/// <summary>Probabilities for one text, and the window that looked most dangerous.</summary>
internal readonly record struct RiskScores(float[] Probabilities, int WindowStart, int WindowEnd)
{
    public float this[RiskOutput output] => Probabilities[(int)output];
}

/// <summary>What turns sums of int8 weights into probabilities; slopes as [part][output].</summary>
internal sealed record RiskScaling(float[] Scales, float[] Bias, float[] Slopes, float[] Offsets, float[] RowScales);

/// <summary>
/// The learned classifier: logistic regression and a small network on the same sparse features, with int8 weights; the most telling of the
/// clause windows decides for danger and the whole message for mood. Immutable and safe to share.
/// </summary>
internal sealed class RiskModel
{
    /// <summary>Int8 weights that are added at once; the outputs are padded to as many.</summary>
    public const int Lanes = 16;

    /// <summary>Fewer features than this count as this many, so that a lone word does not decide.</summary>
    public const int FewestFeatures = 64;

    /// <summary>Hash in the upper half and row in the lower; a free slot is 0, since no feature's hash is.</summary>
    private readonly ulong[] _slots;
    private readonly sbyte[] _weights;
    private readonly RiskScaling _scaling;
    private readonly HiddenLayers _layers;
    private readonly int _stride;
    private readonly int _mask;

    /// <param name="weights">[feature][<see cref="Lanes"/> for the outputs, then the network's columns].</param>
    public RiskModel(uint[] features, sbyte[] weights, RiskScaling scaling, HiddenLayers layers)
    {
        (_weights, _scaling, _layers, _stride) = (weights, scaling, layers, Lanes + layers.Width);
        var size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, features.Length * 2));
        (_slots, _mask) = (new ulong[size], size - 1);
        for (var row = 0; row < features.Length; row++)
        {
            var slot = (int)features[row] & _mask;
            while (_slots[slot] != 0)
            {
                slot = (slot + 1) & _mask;
            }

            _slots[slot] = ((ulong)features[row] << 32) | (uint)row;
        }
    }

    public int FeatureCount => _weights.Length / _stride;

    /// <summary>Probabilities for folded <paramref name="text"/>; <paramref name="rules"/> are rule outcomes as features at their places.</summary>
    public RiskScores Score(ReadOnlySpan<char> text, MessageFeatures reader, IReadOnlyList<(int Position, uint Hash)> rules)
    {
        text = text.Length > MessageFeatures.LongestText ? text[..MessageFeatures.LongestText] : text;

        var windows = new List<(int Start, int End)>();
        Clauses.Windows(text, windows);
        var places = ArrayPool<int>.Shared.Rent(text.Length + 1);
        var segments = Segments(windows, places.AsSpan(0, text.Length + 1));
        var sums = ArrayPool<int>.Shared.Rent((segments + 1) * _stride);
        var counts = ArrayPool<int>.Shared.Rent(segments + 1);
        try
        {
            sums.AsSpan(0, (segments + 1) * _stride).Clear();
            counts.AsSpan(0, segments + 1).Clear();
            var sink = new Accumulator(this, sums, counts, places, Math.Max(text.Length - 1, 0));
            reader.Read(text, ref sink);
            foreach (var (position, hash) in rules)
            {
                sink.Add(Math.Max(position, 0), hash);
            }

            Total(sums, counts, segments);
            return Decide(windows, places, sums, counts, segments);
        }
        finally
        {
            ArrayPool<int>.Shared.Return(places);
            ArrayPool<int>.Shared.Return(sums);
            ArrayPool<int>.Shared.Return(counts);
        }
    }

    /// <summary>
    /// Cuts the text where windows begin or end: features are summed between the cuts, which are far fewer than characters, and a window is the
    /// difference of two running totals. <paramref name="places"/>[p] becomes the number, from 1, of the piece that p lies in.
    /// </summary>
    private static int Segments(List<(int Start, int End)> windows, Span<int> places)
    {
        places.Clear();
        places[0] = 1;
        foreach (var (start, end) in windows)
        {
            (places[start], places[end]) = (1, 1);
        }

        for (var p = 1; p < places.Length; p++)
        {
            places[p] += places[p - 1];
        }

        return places[^1];
    }

    /// <summary>Row r becomes the sum of the pieces 1 to r.</summary>
    private void Total(int[] sums, int[] counts, int segments)
    {
        for (var row = 1; row <= segments; row++)
        {
            counts[row] += counts[row - 1];
            var before = sums.AsSpan((row - 1) * _stride, _stride);
            var here = sums.AsSpan(row * _stride, _stride);
            for (var lane = 0; lane < here.Length; lane += Vector256<int>.Count)
            {
                (Vector256.Create<int>(here[lane..]) + Vector256.Create<int>(before[lane..])).CopyTo(here[lane..]);
            }
        }
    }

    private RiskScores Decide(List<(int Start, int End)> windows, int[] places, int[] sums, int[] counts, int segments)
    {
        // Both parts choose their window for themselves, each output apart.
        Span<float> linear = stackalloc float[RiskOutputs.Count];
        Span<float> network = stackalloc float[RiskOutputs.Count];
        Span<float> most = stackalloc float[2 * RiskOutputs.Count];
        most.Fill(float.NegativeInfinity);
        var worst = windows[0];
        foreach (var window in windows)
        {
            var (from, to) = (places[window.Start] - 1, places[window.End] - 1);
            Logits(sums, from, to, counts[to] - counts[from], linear, network);
            worst = linear[(int)RiskOutput.Danger] > most[(int)RiskOutput.Danger] ? window : worst;
            for (var output = 0; output < RiskOutputs.Count; output++)
            {
                most[output] = Math.Max(most[output], linear[output]);
                most[RiskOutputs.Count + output] = Math.Max(most[RiskOutputs.Count + output], network[output]);
            }
        }

        if (windows.Count > 1)
        {
            Logits(sums, 0, segments, counts[segments], linear, network);
        }

        var probabilities = new float[RiskOutputs.Count];
        var chances = RiskOutputs.LengthOf(windows.Count);
        for (var output = 0; output < RiskOutputs.Count; output++)
        {
            var (first, second) = RiskOutputs.IsOfWholeMessage(output) ? (linear[output], network[output]) : (most[output], most[RiskOutputs.Count + output]);
            var logit = (_scaling.Slopes[output] * first) + (_scaling.Slopes[RiskOutputs.Count + output] * second)
                + (_scaling.Slopes[(2 * RiskOutputs.Count) + output] * chances) + _scaling.Offsets[output];
            probabilities[output] = 1 / (1 + MathF.Exp(-logit));
        }

        return new RiskScores(probabilities, worst.Start, worst.End);
    }

    /// <summary>Logits of both parts for what lies between two running totals, which is so many features.</summary>
    private void Logits(int[] sums, int start, int end, int features, Span<float> linear, Span<float> network)
    {
        var scale = 1 / MathF.Sqrt(Math.Max(FewestFeatures, features));
        var from = sums.AsSpan(start * _stride, _stride);
        var to = sums.AsSpan(end * _stride, _stride);
        for (var output = 0; output < linear.Length; output++)
        {
            linear[output] = _scaling.Bias[output] + (scale * _scaling.Scales[output] * (to[output] - from[output]));
        }

        Span<float> scaled = stackalloc float[_layers.Width];
        for (var i = 0; i < scaled.Length; i++)
        {
            scaled[i] = scale * _scaling.RowScales[i] * (to[Lanes + i] - from[Lanes + i]);
        }

        _layers.Logits(scaled, network);
    }

    private int Find(uint hash)
    {
        for (var slot = (int)hash & _mask; _slots[slot] != 0; slot = (slot + 1) & _mask)
        {
            if ((uint)(_slots[slot] >> 32) == hash)
            {
                return (int)(uint)_slots[slot];
            }
        }

        return -1;
    }

    /// <summary>Adds the weight rows of known features up by the piece of text and counts all features.</summary>
    private readonly struct Accumulator(RiskModel model, int[] sums, int[] counts, int[] places, int last) : IFeatureSink
    {
        public void Add(int position, uint hash)
        {
            var piece = places[Math.Min(position, last)];
            counts[piece]++;
            var row = model.Find(hash);
            if (row < 0)
            {
                return;
            }

            var weights = model._weights.AsSpan(row * model._stride, model._stride);
            var target = sums.AsSpan(piece * model._stride, model._stride);
            for (var lane = 0; lane < weights.Length; lane += Lanes)
            {
                var added = Vector128.Create<sbyte>(weights[lane..]);
                if (Avx512F.IsSupported)
                {
                    (Vector512.Create<int>(target[lane..]) + Avx512F.ConvertToVector512Int32(added)).CopyTo(target[lane..]);
                    continue;
                }

                var (low, high) = Vector128.Widen(added);
                var (a, b) = Vector128.Widen(low);
                var (c, d) = Vector128.Widen(high);
                (Vector128.Create<int>(target[lane..]) + a).CopyTo(target[lane..]);
                (Vector128.Create<int>(target[(lane + 4)..]) + b).CopyTo(target[(lane + 4)..]);
                (Vector128.Create<int>(target[(lane + 8)..]) + c).CopyTo(target[(lane + 8)..]);
                (Vector128.Create<int>(target[(lane + 12)..]) + d).CopyTo(target[(lane + 12)..]);
            }
        }
    }
}
