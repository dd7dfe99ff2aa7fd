using System.Runtime.InteropServices;
using System.Text;

namespace PsyLite.Models.Gguf;

/// <summary>
/// Writes a GGUF file of version 3: declare metadata and tensors, then <see cref="Write"/>. Tensor data is streamed from its source in
/// small parts.
/// </summary>
public sealed class GgufWriter
{
    private readonly GgufMetadata _metadata = new();
    private readonly List<(GgufTensor Place, Action<Stream> Write)> _tensors = [];
    private long _dataBytes;

    /// <summary>Adds or replaces a metadata value.</summary>
    /// <exception cref="ArgumentException">The key is empty or GGUF has no such type.</exception>
    public GgufWriter Set<T>(string key, T value)
        where T : notnull
    {
        var type = value.GetType();
        if (key.Length == 0 || key == GgufHeaderReader.AlignmentKey || GgufMetadata.TypeOf(type.GetElementType() ?? type) is null)
        {
            throw new ArgumentException($"GGUF cannot hold the metadata {ErrorText.Quote(key)} of type {type.Name}.", nameof(value));
        }

        _metadata.Set(key, value);
        return this;
    }

    /// <summary>Adds a tensor; they are written in the order they are added.</summary>
    /// <param name="name">At most 63 bytes of UTF-8.</param>
    /// <param name="type">F32, F16 or BF16; quantised files are made from these by llama.cpp.</param>
    /// <param name="source">Shape and elements.</param>
    /// <exception cref="ArgumentException">Name, type or shape cannot be written, or the name was added before.</exception>
    public GgufWriter Add(string name, GgmlType type, TensorSource source)
    {
        if (GgmlTypeSizes.FloatOf(type) is not { } format)
        {
            throw Unwritable(name, type, source.Shape, nameof(type));
        }

        var place = Place(name, type, source.Shape);
        _tensors.Add((place, stream => StoredFloats.Write(stream, name, format, source)));
        return this;
    }

    /// <summary>Adds a tensor whose stored bytes the caller makes.</summary>
    /// <param name="name">At most 63 bytes of UTF-8.</param>
    /// <param name="type">Any type; rows must be whole blocks of it.</param>
    /// <param name="shape">Outermost size first.</param>
    /// <param name="write">Writes exactly the bytes that type and shape ask for.</param>
    /// <exception cref="ArgumentException">Name, type or shape cannot be written, or the name was added before.</exception>
    public GgufWriter AddStored(string name, GgmlType type, IReadOnlyList<long> shape, Action<Stream> write)
    {
        _tensors.Add((Place(name, type, shape), write));
        return this;
    }

    /// <summary>Bytes that so many elements take; they must be whole blocks of the type.</summary>
    /// <exception cref="ArgumentException">They are not, or there is no such type.</exception>
    public static long BytesOf(GgmlType type, long elements) =>
        GgmlTypeSizes.BlockOf(type) is var (perBlock, bytes) && perBlock > 0 && elements % perBlock == 0
            ? checked(elements / perBlock * bytes)
            : throw new ArgumentException($"{elements} elements are not whole blocks of {type}.", nameof(elements));

    /// <summary>
    /// Writes the file: first beside it under a temporary name, then checked by reading its header back, then renamed, so that a
    /// complete old file or a complete new one is there at any time.
    /// </summary>
    /// <exception cref="InvalidDataException">A tensor holds NaN, an infinity, or a number too large for its type.</exception>
    /// <exception cref="IOException">The disk is full or the folder cannot be written.</exception>
    public void Write(string path) => CompleteFile.Write(
        path,
        stream =>
        {
            WriteHeader(stream);
            foreach (var (place, write) in _tensors)
            {
                WriteData(stream, place, write);
            }
        },
        Verify);

    private static long Aligned(long position) => (position + GgufHeaderReader.DefaultAlignment - 1) / GgufHeaderReader.DefaultAlignment * GgufHeaderReader.DefaultAlignment;

    private static void Pad(Stream stream)
    {
        Span<byte> zeros = stackalloc byte[(int)GgufHeaderReader.DefaultAlignment];
        zeros.Clear();
        stream.Write(zeros[..(int)(Aligned(stream.Position) - stream.Position)]);
    }

    private GgufTensor Place(string name, GgmlType type, IReadOnlyList<long> shape)
    {
        if (name.Length == 0 || Encoding.UTF8.GetByteCount(name) >= GgufHeaderReader.MaxNameBytes || _tensors.Any(t => t.Place.Name == name))
        {
            throw new ArgumentException($"The tensor name {ErrorText.Quote(name)} is empty, too long or already in use.", nameof(name));
        }

        var (elements, _) = GgmlTypeSizes.BlockOf(type);
        if (elements == 0 || shape.Count is 0 or > GgufHeaderReader.MaxDimensions || shape.Any(s => s <= 0) || shape[^1] % elements != 0)
        {
            throw Unwritable(name, type, shape, nameof(shape));
        }

        var bytes = BytesOf(type, shape.Aggregate(1L, (product, size) => checked(product * size)));
        var place = new GgufTensor(name, type, [.. shape], _dataBytes, bytes);
        _dataBytes = Aligned(checked(_dataBytes + bytes));
        return place;
    }

    private static ArgumentException Unwritable(string name, GgmlType type, IReadOnlyList<long> shape, string parameter) =>
        new($"The tensor {ErrorText.Quote(name)} of type {type} and shape [{string.Join(", ", shape)}] cannot be written.", parameter);

    private static void WriteData(Stream stream, GgufTensor place, Action<Stream> write)
    {
        var start = stream.Position;
        write(stream);
        if (stream.Position - start != place.ByteCount)
        {
            throw new InvalidOperationException($"The tensor {ErrorText.Quote(place.Name)} was written as {stream.Position - start} bytes instead of {place.ByteCount}.");
        }

        Pad(stream);
    }

    private void WriteHeader(Stream stream)
    {
        WriteScalar(stream, GgufHeaderReader.Magic);
        WriteScalar(stream, 3u);
        WriteScalar(stream, (ulong)_tensors.Count);
        WriteScalar(stream, (ulong)_metadata.Count);
        foreach (var (key, value) in _metadata)
        {
            WriteString(stream, key);
            WriteValue(stream, value);
        }

        foreach (var (place, _) in _tensors)
        {
            WriteString(stream, place.Name);
            WriteScalar(stream, (uint)place.Shape.Count);
            foreach (var size in place.Shape.Reverse())
            {
                WriteScalar(stream, (ulong)size);
            }

            WriteScalar(stream, (uint)place.Type);
            WriteScalar(stream, (ulong)place.Offset);
        }

        Pad(stream);
    }

    private static void WriteValue(Stream stream, object value)
    {
        if (value is not Array array)
        {
            WriteScalar(stream, (uint)GgufMetadata.TypeOf(value.GetType())!.Value);
            WriteElement(stream, value);
            return;
        }

        WriteScalar(stream, (uint)GgufValueType.Array);
        WriteScalar(stream, (uint)GgufMetadata.TypeOf(array.GetType().GetElementType()!)!.Value);
        WriteScalar(stream, (ulong)array.Length);
        foreach (var element in array)
        {
            WriteElement(stream, element);
        }
    }

    private static void WriteElement(Stream stream, object value)
    {
        switch (value)
        {
            case string text:
                WriteString(stream, text);
                break;
            case bool flag:
                stream.WriteByte(flag ? (byte)1 : (byte)0);
                break;
            case byte number:
                stream.WriteByte(number);
                break;
            case sbyte number:
                stream.WriteByte((byte)number);
                break;
            case ushort number:
                WriteScalar(stream, number);
                break;
            case short number:
                WriteScalar(stream, number);
                break;
            case uint number:
                WriteScalar(stream, number);
                break;
            case int number:
                WriteScalar(stream, number);
                break;
            case ulong number:
                WriteScalar(stream, number);
                break;
            case long number:
                WriteScalar(stream, number);
                break;
            case float number:
                WriteScalar(stream, number);
                break;
            case double number:
                WriteScalar(stream, number);
                break;
        }
    }

    private static void WriteScalar<T>(Stream stream, T value)
        where T : unmanaged => stream.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));

    private static void WriteString(Stream stream, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        WriteScalar(stream, (ulong)bytes.Length);
        stream.Write(bytes);
    }

    private void Verify(string path)
    {
        using var written = GgufReader.Open(path);
        var same = written.Metadata.Select(p => p.Key).SequenceEqual(_metadata.Select(p => p.Key))
            && written.Tensors.Count == _tensors.Count
            && written.Tensors.Zip(_tensors).All(t => t.First.Name == t.Second.Place.Name && t.First.Type == t.Second.Place.Type
                && t.First.Shape.SequenceEqual(t.Second.Place.Shape) && t.First.ByteCount == t.Second.Place.ByteCount);
        if (!same)
        {
            throw new IOException($"{path}: the file does not read back as it was written; check the disk and write it again.");
        }
    }
}
