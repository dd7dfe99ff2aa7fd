using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PsyLite.Training.Kernels;

/// <summary>
/// NF4 with double quantisation (QLoRA, arXiv 2305.14314, section 3): blocks of 64 values share a scale, their largest magnitude; the
/// scales, less their mean, are 8-bit numbers that share a second scale in groups of 256: 4.127 bits a value. Two values lie in a byte, the
/// first in the upper half, as bitsandbytes stores them.
/// </summary>
internal sealed unsafe class Nf4Matrix : CompactMatrix
{
    public const int Block = 64;
    public const int ScaleGroup = 256;

    /// <summary>Values quantised between two reads of the source.</summary>
    private const int Chunk = 1 << 18;

    private readonly byte[] _scaleCodes;
    private readonly float[] _groupScales;
    private readonly float[] _scaleLevels = Nf4Code.DynamicLevels();
    private float _scaleMean;
    private byte* _codes;

    /// <exception cref="ArgumentException">The columns are no multiple of 64.</exception>
    public Nf4Matrix(int rows, int columns)
        : base(rows, columns)
    {
        if (columns % Block != 0)
        {
            throw new ArgumentException($"NF4 needs rows of a multiple of {Block} values; {columns} is none. Train with quantisation none.");
        }

        var blocks = (long)rows * columns / Block;
        _codes = (byte*)NativeMemory.AlignedAlloc((nuint)(blocks * Block / 2), 64);
        _scaleCodes = new byte[blocks];
        _groupScales = new float[(blocks + ScaleGroup - 1) / ScaleGroup];
    }

    public override long Bytes => ((long)Rows * Columns / 2) + _scaleCodes.Length + (_groupScales.Length * sizeof(float));

    /// <summary>Two codes a byte, the first in the upper half.</summary>
    public ReadOnlySpan<byte> Codes => new(_codes, checked((int)((long)Rows * Columns / 2)));

    /// <summary>8-bit codes of the scales of the blocks.</summary>
    public ReadOnlySpan<byte> ScaleCodes => _scaleCodes;

    /// <summary>Scale of each group of 256 block scales.</summary>
    public ReadOnlySpan<float> GroupScales => _groupScales;

    /// <summary>Mean of the block scales, taken off before they are quantised.</summary>
    public float ScaleMean => _scaleMean;

    public override void Encode(Models.TensorReader source)
    {
        var scales = new float[_scaleCodes.Length];
        var thresholds = Nf4Code.Thresholds(Nf4Code.Levels);
        var buffer = new float[Chunk];
        var total = (long)Rows * Columns;
        for (long start = 0; start < total; start += Chunk)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(Chunk, total - start));
            source(start, part);
            fixed (float* values = part)
            {
                for (var i = 0; i < part.Length; i += Block)
                {
                    scales[(start + i) / Block] = EncodeBlock(values + i, _codes + ((start + i) / 2), thresholds);
                }
            }
        }

        EncodeScales(scales);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Decode(int row, int column, int count, float* target)
    {
        var first = ((long)row * Columns) + column;
        var i = 0;
        if (Avx512F.IsSupported && first % 16 == 0)
        {
            fixed (float* levels = Nf4Code.Levels)
            {
                var table = Vector512.Load(levels);
                var shifts = Vector512.Create(4u, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0);
                while (i + 16 <= count)
                {
                    var block = (first + i) / Block;
                    var scale = Vector512.Create(ScaleOf(block));
                    for (var end = Math.Min(count, ((block + 1) * Block) - first); i + 16 <= end; i += 16)
                    {
                        // Eight bytes to eight 64-bit lanes, doubled into both halves; the permutation looks at the lower four bits alone.
                        var bytes = Avx512F.ConvertToVector512UInt64(Vector128.CreateScalarUnsafe(*(ulong*)(_codes + ((first + i) / 2))).AsByte());
                        var codes = Avx512F.ShiftRightLogicalVariable((bytes | Avx512F.ShiftLeftLogical(bytes, 32)).AsUInt32(), shifts);
                        (Avx512F.PermuteVar16x32(table, codes.AsInt32()) * scale).Store(target + i);
                    }
                }
            }
        }

        for (; i < count; i++)
        {
            var at = first + i;
            var code = at % 2 == 0 ? _codes[at / 2] >> 4 : _codes[at / 2] & 15;
            target[i] = Nf4Code.Levels[code] * ScaleOf(at / Block);
        }
    }

    public override void Dispose()
    {
        NativeMemory.AlignedFree(_codes);
        _codes = null;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private float ScaleOf(long block) => (_scaleLevels[_scaleCodes[block]] * _groupScales[block / ScaleGroup]) + _scaleMean;

    /// <summary>Codes of 64 values; returns their scale.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float EncodeBlock(float* values, byte* target, float[] thresholds)
    {
        var largest = Vector256<float>.Zero;
        for (var i = 0; i < Block; i += Vector256<float>.Count)
        {
            largest = Vector256.Max(largest, Vector256.Abs(Vector256.Load(values + i)));
        }

        var scale = VectorMath.Maximum(largest);
        if (scale == 0f)
        {
            new Span<byte>(target, Block / 2).Fill((Nf4Code.Zero << 4) | Nf4Code.Zero);
            return 0f;
        }

        var inverse = Vector256.Create(1f / scale);
        var codes = stackalloc int[Vector256<int>.Count];
        for (var i = 0; i < Block; i += Vector256<float>.Count)
        {
            Nf4Code.CodesOf(Vector256.Load(values + i) * inverse, thresholds).Store(codes);
            for (var j = 0; j < Vector256<int>.Count; j += 2)
            {
                target[(i + j) / 2] = (byte)((codes[j] << 4) | codes[j + 1]);
            }
        }

        return scale;
    }

    private void EncodeScales(float[] scales)
    {
        var sum = 0.0;
        foreach (var scale in scales)
        {
            sum += scale;
        }

        _scaleMean = (float)(sum / scales.Length);
        var thresholds = Nf4Code.Thresholds(_scaleLevels);
        for (var group = 0; group < _groupScales.Length; group++)
        {
            var part = scales.AsSpan(group * ScaleGroup, Math.Min(ScaleGroup, scales.Length - (group * ScaleGroup)));
            var largest = 0f;
            foreach (ref var scale in part)
            {
                scale -= _scaleMean;
                largest = MathF.Max(largest, MathF.Abs(scale));
            }

            _groupScales[group] = largest;
            var inverse = largest > 0 ? 1f / largest : 0f;
            for (var i = 0; i < part.Length; i++)
            {
                _scaleCodes[(group * ScaleGroup) + i] = (byte)Nf4Code.CodeOf(part[i] * inverse, thresholds);
            }
        }
    }
}
