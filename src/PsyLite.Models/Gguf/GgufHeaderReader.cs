using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace PsyLite.Models.Gguf;

/// <summary>
/// Reads the part of a GGUF file before the tensor data. Every length is checked against the bytes that are left before anything is
/// allocated, so a damaged file costs no more memory than its own size.
/// </summary>
internal sealed class GgufHeaderReader
{
    internal const uint Magic = 0x46554747;
    internal const uint DefaultAlignment = 32;
    internal const string AlignmentKey = "general.alignment";

    /// <summary>GGML_MAX_DIMS.</summary>
    internal const int MaxDimensions = 4;

    /// <summary>GGML_MAX_NAME, with the terminating NUL.</summary>
    internal const int MaxNameBytes = 64;

    private const int MaxKeyBytes = 65_535;
    private const uint MaxAlignment = 1 << 20;

    // Smallest possible entries: key length + type + one byte; name length + dimensions + type + offset.
    private const int MinPairBytes = 8 + 4 + 1;
    private const int MinTensorBytes = 8 + 4 + 4 + 8;

    private readonly Stream _stream;
    private readonly long _length;
    private long _position;

    internal GgufHeaderReader(Stream stream, long length) => (_stream, _length) = (stream, length);

    private long Remaining => _length - _position;

    internal (uint Version, GgufMetadata Metadata, List<GgufTensor> Tensors) Read()
    {
        if (_length < 4 || ReadUInt32() != Magic)
        {
            throw new InvalidDataException("not a GGUF file (it does not begin with 'GGUF').");
        }

        var version = ReadUInt32();
        if (version is not (2 or 3))
        {
            throw new InvalidDataException((version & 0xffff) == 0
                ? "this GGUF file is big-endian; convert it to little-endian first."
                : $"this GGUF file has version {version}; only versions 2 and 3 can be read, convert the model again with a current converter.");
        }

        var tensorCount = ReadCount(MinTensorBytes, "tensors");
        var pairCount = ReadCount(MinPairBytes, "metadata entries");
        var metadata = ReadMetadata(pairCount);
        return (version, metadata, ReadTensors(tensorCount, AlignmentOf(metadata)));
    }

    private static uint AlignmentOf(GgufMetadata metadata)
    {
        var alignment = metadata.Get(AlignmentKey, DefaultAlignment);
        return alignment is > 0 and <= MaxAlignment && (alignment & (alignment - 1)) == 0
            ? alignment
            : throw new InvalidDataException($"damaged GGUF file: an alignment of {alignment} is not a power of two.");
    }

    private GgufMetadata ReadMetadata(long count)
    {
        var metadata = new GgufMetadata();
        for (var i = 0L; i < count; i++)
        {
            var key = ReadString(MaxKeyBytes);
            if (key.Length == 0 || !metadata.TryAdd(key, ReadValue((GgufValueType)ReadUInt32(), key)))
            {
                throw new InvalidDataException($"damaged GGUF file: the metadata key {ErrorText.Quote(key)} is empty or stands there twice.");
            }
        }

        return metadata;
    }

    private List<GgufTensor> ReadTensors(long count, uint alignment)
    {
        var entries = new List<GgufTensor>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0L; i < count; i++)
        {
            var tensor = ReadTensor(alignment);
            if (!names.Add(tensor.Name))
            {
                throw new InvalidDataException($"damaged GGUF file: the tensor {ErrorText.Quote(tensor.Name)} stands there twice.");
            }

            entries.Add(tensor);
        }

        var dataStart = (_position + alignment - 1) / alignment * alignment;
        for (var i = 0; i < entries.Count; i++)
        {
            var tensor = entries[i];
            if (tensor.Offset > _length - dataStart || tensor.ByteCount > _length - dataStart - tensor.Offset)
            {
                throw new InvalidDataException($"truncated GGUF file: the tensor {ErrorText.Quote(tensor.Name)} lies beyond its end; download or convert the model again.");
            }

            entries[i] = tensor with { Offset = dataStart + tensor.Offset };
        }

        return entries;
    }

    private GgufTensor ReadTensor(uint alignment)
    {
        var name = ReadString(MaxNameBytes - 1);
        var dimensions = ReadUInt32();
        if (dimensions is 0 or > MaxDimensions)
        {
            throw new InvalidDataException($"damaged GGUF file: the tensor {ErrorText.Quote(name)} has {dimensions} dimensions.");
        }

        var shape = new long[dimensions];
        var count = 1L;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            shape[i] = (long)ReadUInt64();
            if (shape[i] <= 0 || shape[i] > long.MaxValue / 16 / count)
            {
                throw new InvalidDataException($"damaged GGUF file: the size {shape[i]} of the tensor {ErrorText.Quote(name)} is impossible.");
            }

            count *= shape[i];
        }

        var type = (GgmlType)ReadUInt32();
        var (elements, bytes) = GgmlTypeSizes.BlockOf(type);
        if (elements == 0 || shape[^1] % elements != 0)
        {
            throw new InvalidDataException($"the tensor {ErrorText.Quote(name)} of this GGUF file is stored as type {(uint)type} in rows of {shape[^1]}, which cannot be read.");
        }

        var offset = ReadUInt64();
        return offset <= long.MaxValue && offset % alignment == 0
            ? new GgufTensor(name, type, shape, (long)offset, checked(count / elements * bytes))
            : throw new InvalidDataException($"damaged GGUF file: the tensor {ErrorText.Quote(name)} is not aligned.");
    }

    private object ReadValue(GgufValueType type, string key) => type switch
    {
        GgufValueType.UInt8 => ReadScalar<byte>(),
        GgufValueType.Int8 => ReadScalar<sbyte>(),
        GgufValueType.UInt16 => ReadScalar<ushort>(),
        GgufValueType.Int16 => ReadScalar<short>(),
        GgufValueType.UInt32 => ReadScalar<uint>(),
        GgufValueType.Int32 => ReadScalar<int>(),
        GgufValueType.Float32 => ReadScalar<float>(),
        GgufValueType.Bool => ReadScalar<byte>() != 0,
        GgufValueType.String => ReadString(int.MaxValue),
        GgufValueType.UInt64 => ReadScalar<ulong>(),
        GgufValueType.Int64 => ReadScalar<long>(),
        GgufValueType.Float64 => ReadScalar<double>(),
        GgufValueType.Array => ReadArray((GgufValueType)ReadUInt32(), key),
        _ => throw new InvalidDataException($"damaged GGUF file: the metadata {ErrorText.Quote(key)} has the unknown type {(uint)type}."),
    };

    private object ReadArray(GgufValueType type, string key) => type switch
    {
        GgufValueType.UInt8 => ReadScalars<byte>(),
        GgufValueType.Int8 => ReadScalars<sbyte>(),
        GgufValueType.UInt16 => ReadScalars<ushort>(),
        GgufValueType.Int16 => ReadScalars<short>(),
        GgufValueType.UInt32 => ReadScalars<uint>(),
        GgufValueType.Int32 => ReadScalars<int>(),
        GgufValueType.Float32 => ReadScalars<float>(),
        GgufValueType.Bool => Array.ConvertAll(ReadScalars<byte>(), b => b != 0),
        GgufValueType.String => ReadStrings(),
        GgufValueType.UInt64 => ReadScalars<ulong>(),
        GgufValueType.Int64 => ReadScalars<long>(),
        GgufValueType.Float64 => ReadScalars<double>(),
        _ => throw new InvalidDataException($"damaged GGUF file: the metadata {ErrorText.Quote(key)} is an array of the type {(uint)type}."),
    };

    private string[] ReadStrings()
    {
        var strings = new string[ReadCount(sizeof(ulong), "strings")];
        for (var i = 0; i < strings.Length; i++)
        {
            strings[i] = ReadString(int.MaxValue);
        }

        return strings;
    }

    private T[] ReadScalars<T>()
        where T : unmanaged
    {
        var values = new T[ReadCount(Marshal.SizeOf<T>(), "array elements")];
        ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    private T ReadScalar<T>()
        where T : unmanaged
    {
        var value = default(T);
        ReadExactly(MemoryMarshal.AsBytes(new Span<T>(ref value)));
        return value;
    }

    private uint ReadUInt32()
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        ReadExactly(bytes);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    private ulong ReadUInt64()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        ReadExactly(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    private long ReadCount(int minimumBytes, string what)
    {
        var count = ReadUInt64();
        return count <= (ulong)(Remaining / minimumBytes) && count <= (ulong)Array.MaxLength
            ? (long)count
            : throw new InvalidDataException($"truncated GGUF file: {count} {what} do not fit into the {Remaining} bytes that are left.");
    }

    private string ReadString(int limit)
    {
        var length = ReadCount(1, "characters");
        if (length > limit)
        {
            throw new InvalidDataException($"damaged GGUF file: a name of {length} bytes is too long.");
        }

        var bytes = new byte[length];
        ReadExactly(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    private void ReadExactly(Span<byte> bytes)
    {
        if (bytes.Length > Remaining)
        {
            throw new InvalidDataException("truncated GGUF file: it ends inside its header; download or convert the model again.");
        }

        _stream.ReadExactly(bytes);
        _position += bytes.Length;
    }
}
