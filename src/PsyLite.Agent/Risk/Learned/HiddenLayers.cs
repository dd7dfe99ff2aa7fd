using System.Numerics;

namespace PsyLite.Agent.Risk.Learned;

/// <summary>The two dense layers of the classifier's network. Immutable.</summary>
internal sealed class HiddenLayers
{
    private readonly float[] _hidden;
    private readonly float[] _hiddenBias;
    private readonly float[] _top;
    private readonly float[] _topBias;

    public HiddenLayers(int width, float gain, ReadOnlySpan<float> hidden, ReadOnlySpan<float> hiddenBias, ReadOnlySpan<float> top, ReadOnlySpan<float> topBias)
    {
        (Width, Gain) = (width, gain);

        // Columns become rows, so that one unit's share in all units of the next layer lies together.
        _hidden = new float[width * width];
        for (var i = 0; i < width * width; i++)
        {
            _hidden[(i % width * width) + (i / width)] = hidden[i];
        }

        (_hiddenBias, _top, _topBias) = (hiddenBias.ToArray(), top.ToArray(), topBias.ToArray());
    }

    public int Width { get; }

    public float Gain { get; }

    /// <summary>Logits of one instance; <paramref name="sums"/> [width] are its scaled sums and are overwritten.</summary>
    public void Logits(Span<float> sums, Span<float> logits)
    {
        Span<float> second = stackalloc float[Width];
        _hiddenBias.CopyTo(second);
        for (var k = 0; k < Width; k++)
        {
            var first = MathF.Tanh(Gain * sums[k]);
            for (var i = 0; i < Width; i += Vector<float>.Count)
            {
                (new Vector<float>(second[i..]) + (first * new Vector<float>(_hidden.AsSpan((k * Width) + i)))).CopyTo(second[i..]);
            }
        }

        for (var output = 0; output < logits.Length; output++)
        {
            var total = Vector<float>.Zero;
            for (var i = 0; i < Width; i += Vector<float>.Count)
            {
                total += Vector.Max(Vector<float>.Zero, new Vector<float>(second[i..])) * new Vector<float>(_top.AsSpan((output * Width) + i));
            }

            logits[output] = Vector.Sum(total) + _topBias[output];
        }
    }
}
