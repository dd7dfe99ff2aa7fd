using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PsyLite.Agent.Risk.Learned;

/// <summary>Parameters of the classifier as training hands them over: a row of weights for each known feature.</summary>
/// <param name="Features">Hashes of the known features.</param>
/// <param name="Weights">[feature][output], row after row.</param>
/// <param name="Bias">One for each output.</param>
/// <param name="Slopes">Platt scaling: p = σ(slope · z + offset).</param>
public sealed record RiskParameters(uint[] Features, float[] Weights, float[] Bias, float[] Slopes, float[] Offsets);

/// <summary>Probabilities for one text, and the window that looked most dangerous.</summary>
internal readonly record struct RiskScores(float[] Probabilities, int WindowStart, int WindowEnd)
{
    public float this[RiskOutput output] => Probabilities[(int)output];
}

/// <summary>
/// The learned classifier: logistic regression on sparse features with int8 weights, the largest of the clause windows deciding for danger
/// and the whole message for mood. About a microsecond for each ten characters. Immutable and safe to share.
/// </summary>
internal sealed class RiskModel
{
    /// <summary>Outputs are stored sixteen to a row, so that a row is one vector.</summary>
    private const int Lanes = 16;
    private const uint Magic = 0x4B534952;
    private const int FileVersion = 1;
    private const int MostFeatures = 1 << 20;

    /// <summary>Fewer features than this count as this many, so that a lone word does not decide.</summary>
    public const int FewestFeatures = 64;

    private readonly uint[] _keys;
    private readonly int[] _rows;
    private readonly sbyte[] _weights;
    private readonly float[] _scales;
    private readonly float[] _bias;
    private readonly float[] _slopes;
    private readonly float[] _offsets;
    private readonly int _mask;

    private RiskModel(uint[] features, sbyte[] weights, float[] scales, float[] bias, float[] slopes, float[] offsets)
    {
        (_weights, _scales, _bias, _slopes, _offsets) = (weights, scales, bias, slopes, offsets);
        var size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, features.Length * 2));
        (_keys, _rows, _mask) = (new uint[size], new int[size], size - 1);
        for (var row = 0; row < features.Length; row++)
        {
            var slot = (int)features[row] & _mask;
            while (_keys[slot] != 0)
            {
                slot = (slot + 1) & _mask;
            }

            (_keys[slot], _rows[slot]) = (features[row], row);
        }
    }

    public int FeatureCount => _weights.Length / Lanes;

    /// <summary>Reads a model file; throws <see cref="InvalidDataException"/> with what to do when it is not one or was made for other features.</summary>
    public static RiskModel Read(ReadOnlySpan<byte> file)
    {
        const int header = 16;
        const int perOutput = 4 * sizeof(float);
        if (file.Length < header || BinaryPrimitives.ReadUInt32LittleEndian(file) != Magic || BinaryPrimitives.ReadInt32LittleEndian(file[4..]) != FileVersion)
        {
            throw new InvalidDataException("The risk model is not a risk model of this version; make one with `psylite train risk`.");
        }

        var count = BinaryPrimitives.ReadInt32LittleEndian(file[12..]);
        if (BinaryPrimitives.ReadInt32LittleEndian(file[8..]) != MessageFeatures.Version)
        {
            throw new InvalidDataException("The risk model was made for other features; make it again with `psylite train risk`.");
        }

        if (count is < 1 or > MostFeatures || file.Length != header + (RiskOutputs.Count * perOutput) + ((long)count * (sizeof(uint) + RiskOutputs.Count)))
        {
            throw new InvalidDataException("The risk model is cut off or damaged; make it again with `psylite train risk`.");
        }

        var floats = MemoryMarshal.Cast<byte, float>(file.Slice(header, RiskOutputs.Count * perOutput));
        foreach (var value in floats)
        {
            if (!float.IsFinite(value))
            {
                throw new InvalidDataException("The risk model holds numbers that mean nothing; make it again with `psylite train risk`.");
            }
        }

        float[] Part(ReadOnlySpan<float> all, int number)
        {
            var part = new float[Lanes];
            all.Slice(number * RiskOutputs.Count, RiskOutputs.Count).CopyTo(part);
            return part;
        }

        var at = header + (RiskOutputs.Count * perOutput);
        var features = MemoryMarshal.Cast<byte, uint>(file.Slice(at, count * sizeof(uint))).ToArray();
        at += count * sizeof(uint);
        if (features.Contains(0u))
        {
            throw new InvalidDataException("The risk model holds a feature that cannot be; make it again with `psylite train risk`.");
        }

        var weights = new sbyte[count * Lanes];
        for (var row = 0; row < count; row++)
        {
            MemoryMarshal.Cast<byte, sbyte>(file.Slice(at + (row * RiskOutputs.Count), RiskOutputs.Count)).CopyTo(weights.AsSpan(row * Lanes));
        }

        return new RiskModel(features, weights, Part(floats, 0), Part(floats, 1), Part(floats, 2), Part(floats, 3));
    }

    /// <summary>The file of <paramref name="parameters"/>, weights rounded to 8 bits with one scale for each output.</summary>
    public static byte[] Write(RiskParameters parameters)
    {
        var count = parameters.Features.Length;
        var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        writer.Write(Magic);
        writer.Write(FileVersion);
        writer.Write(MessageFeatures.Version);
        writer.Write(count);
        var scales = new float[RiskOutputs.Count];
        for (var output = 0; output < RiskOutputs.Count; output++)
        {
            var largest = 1e-6f;
            for (var row = 0; row < count; row++)
            {
                largest = Math.Max(largest, Math.Abs(parameters.Weights[(row * RiskOutputs.Count) + output]));
            }

            scales[output] = largest / sbyte.MaxValue;
        }

        foreach (var value in scales.Concat(parameters.Bias).Concat(parameters.Slopes).Concat(parameters.Offsets))
        {
            writer.Write(value);
        }

        foreach (var feature in parameters.Features)
        {
            writer.Write(feature);
        }

        for (var i = 0; i < count * RiskOutputs.Count; i++)
        {
            writer.Write((sbyte)Math.Round(parameters.Weights[i] / scales[i % RiskOutputs.Count]));
        }

        writer.Flush();
        return file.ToArray();
    }

    /// <summary>Probabilities for folded <paramref name="text"/>; <paramref name="rules"/> are rule outcomes as features at their places.</summary>
    public RiskScores Score(ReadOnlySpan<char> text, MessageFeatures reader, IReadOnlyList<(int Position, uint Hash)> rules)
    {
        text = text.Length > MessageFeatures.LongestText ? text[..MessageFeatures.LongestText] : text;
        var length = Math.Max(1, text.Length);
        var sums = System.Buffers.ArrayPool<int>.Shared.Rent((length + 1) * Lanes);
        var counts = System.Buffers.ArrayPool<int>.Shared.Rent(length + 1);
        try
        {
            sums.AsSpan(0, (length + 1) * Lanes).Clear();
            counts.AsSpan(0, length + 1).Clear();
            var sink = new Accumulator(this, sums, counts);
            reader.Read(text, ref sink);
            foreach (var (position, hash) in rules)
            {
                sink.Add(Math.Clamp(position, 0, length - 1), hash);
            }

            return Decide(text, sums, counts, length);
        }
        finally
        {
            System.Buffers.ArrayPool<int>.Shared.Return(sums);
            System.Buffers.ArrayPool<int>.Shared.Return(counts);
        }
    }

    private RiskScores Decide(ReadOnlySpan<char> text, int[] sums, int[] counts, int length)
    {
        // Row p + 1 holds what begins at p; running totals turn every window into a difference of two rows.
        for (var row = 1; row <= length; row++)
        {
            counts[row] += counts[row - 1];
            for (var lane = 0; lane < Lanes; lane += Vector256<int>.Count)
            {
                var total = Vector256.Create<int>(sums.AsSpan((row * Lanes) + lane)) + Vector256.Create<int>(sums.AsSpan(((row - 1) * Lanes) + lane));
                total.CopyTo(sums.AsSpan((row * Lanes) + lane));
            }
        }

        var windows = new List<(int Start, int End)>();
        Clauses.Windows(text, windows);
        Span<float> logits = stackalloc float[Lanes];
        logits.Fill(float.NegativeInfinity);
        var worst = windows[0];
        foreach (var window in windows)
        {
            var scale = 1 / MathF.Sqrt(Math.Max(FewestFeatures, counts[window.End] - counts[window.Start]));
            for (var output = 0; output < RiskOutputs.Count; output++)
            {
                var logit = _bias[output] + (scale * _scales[output] * (sums[(window.End * Lanes) + output] - sums[(window.Start * Lanes) + output]));
                if (logit > logits[output] && !RiskOutputs.IsOfWholeMessage(output))
                {
                    logits[output] = logit;
                    worst = output == (int)RiskOutput.Danger ? window : worst;
                }
            }
        }

        var whole = 1 / MathF.Sqrt(Math.Max(FewestFeatures, counts[length]));
        var probabilities = new float[RiskOutputs.Count];
        for (var output = 0; output < RiskOutputs.Count; output++)
        {
            var logit = RiskOutputs.IsOfWholeMessage(output) ? _bias[output] + (whole * _scales[output] * sums[(length * Lanes) + output]) : logits[output];
            probabilities[output] = 1 / (1 + MathF.Exp(-((_slopes[output] * logit) + _offsets[output])));
        }

        return new RiskScores(probabilities, worst.Start, worst.End);
    }

    private int Find(uint hash)
    {
        for (var slot = (int)hash & _mask; _keys[slot] != 0; slot = (slot + 1) & _mask)
        {
            if (_keys[slot] == hash)
            {
                return _rows[slot];
            }
        }

        return -1;
    }

    /// <summary>Adds the weight rows of known features up at their positions and counts all features.</summary>
    private readonly struct Accumulator(RiskModel model, int[] sums, int[] counts) : IFeatureSink
    {
        public void Add(int position, uint hash)
        {
            counts[position + 1]++;
            var row = model.Find(hash);
            if (row < 0)
            {
                return;
            }

            if (Avx512F.IsSupported)
            {
                var sixteen = sums.AsSpan((position + 1) * Lanes, Lanes);
                var added = Avx512F.ConvertToVector512Int32(Vector128.Create<sbyte>(model._weights.AsSpan(row * Lanes, Lanes)));
                (Vector512.Create<int>(sixteen) + added).CopyTo(sixteen);
                return;
            }

            var (low, high) = Vector128.Widen(Vector128.Create<sbyte>(model._weights.AsSpan(row * Lanes, Lanes)));
            var target = sums.AsSpan((position + 1) * Lanes, Lanes);
            var (a, b) = Vector128.Widen(low);
            var (c, d) = Vector128.Widen(high);
            (Vector128.Create<int>(target) + a).CopyTo(target);
            (Vector128.Create<int>(target[4..]) + b).CopyTo(target[4..]);
            (Vector128.Create<int>(target[8..]) + c).CopyTo(target[8..]);
            (Vector128.Create<int>(target[12..]) + d).CopyTo(target[12..]);
        }
    }
}
