using System.Buffers.Binary;
using PsyLite.Models;
using PsyLite.Models.Gguf;

namespace PsyLite.Tests.Models;

public sealed class GgufTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("psylite-gguf").FullName;

    private string Path1 => Path.Combine(_folder, "a.gguf");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Every_metadata_type_reads_back_as_written()
    {
        (string Key, object Value)[] values =
        [
            ("u8", (byte)200), ("i8", (sbyte)-5), ("u16", (ushort)60000), ("i16", (short)-30000), ("u32", 4_000_000_000u), ("i32", -7), ("f32", 1.5f),
            ("yes", true), ("no", false), ("text", "你好\0👍"), ("empty", ""), ("u64", ulong.MaxValue), ("i64", long.MinValue), ("f64", Math.PI),
            ("u8s", new byte[] { 1, 2 }), ("i8s", new sbyte[] { -1 }), ("u16s", new ushort[] { 9 }), ("i16s", new short[] { -9, 9 }), ("u32s", new uint[] { 7 }), ("i32s", new[] { -1, 0, 1 }),
            ("f32s", new[] { -0.5f, float.Epsilon }), ("bools", new[] { true, false, true }), ("texts", new[] { "", "a", "字" }), ("u64s", new ulong[] { 1 }), ("i64s", new long[] { -1 }), ("f64s", new[] { 0.1 }), ("none", Array.Empty<string>()),
        ];
        var writer = new GgufWriter();
        foreach (var (key, value) in values)
        {
            writer.Set(key, value);
        }

        writer.Write(Path1);
        using var file = GgufReader.Open(Path1);
        Assert.Equal(3u, file.Version);
        Assert.Equal(values.Select(v => v.Key), file.Metadata.Select(p => p.Key));
        Assert.All(values, v => Assert.Equal(v.Value, file.Metadata.Single(p => p.Key == v.Key).Value));

        Assert.Equal(-7L, file.Metadata.Get<long>("i32"));
        Assert.Equal(200, file.Metadata.Get<int>("u8"));
        Assert.Equal("x", file.Metadata.Get("missing", "x"));
        Assert.Contains("lacks", Assert.Throws<InvalidDataException>(() => file.Metadata.Get<int>("missing")).Message);
        Assert.Throws<InvalidDataException>(() => file.Metadata.Get<int>("u32"));
        Assert.Throws<InvalidDataException>(() => file.Metadata.Get<int>("text"));
        Assert.Throws<InvalidDataException>(() => file.Metadata.Get<bool>("i32"));
        Assert.Throws<InvalidDataException>(() => file.Metadata.Get<string[]>("i32s"));
    }

    [Fact]
    public void Tensors_read_back_as_written_and_lie_on_32_bytes()
    {
        var random = new Random(2);
        var values = Enumerable.Range(0, 300 * 411).Select(_ => (float)((random.NextDouble() * 2) - 1)).ToArray();
        new GgufWriter()
            .Add("matrix.f32", GgmlType.F32, TensorSource.From(values, 300, 411))
            .Add("matrix.f16", GgmlType.F16, TensorSource.From(values, 300, 411))
            .Add("vector", GgmlType.F32, TensorSource.From(values.AsMemory(0, 3), 3))
            .Add("cube", GgmlType.F16, TensorSource.From(values.AsMemory(0, 30), 2, 3, 5))
            .Write(Path1);

        using var file = GgufReader.Open(Path1);
        Assert.Equal(["matrix.f32", "matrix.f16", "vector", "cube"], file.Tensors.Select(t => t.Name));
        Assert.Equal([2L, 3, 5], file.Tensor("cube").Shape);
        Assert.All(file.Tensors, t => Assert.Equal(0, t.Offset % 32));
        Assert.Equal(0, new FileInfo(Path1).Length % 32);

        var read = new float[values.Length];
        file.ReadFloats(file.Tensor("matrix.f32"), 0, read);
        Assert.Equal(values, read);
        file.ReadFloats(file.Tensor("matrix.f16"), 0, read);
        Assert.Equal(values.Select(v => (float)(Half)v), read);
        file.ReadFloats(file.Tensor("matrix.f16"), 70_000, read.AsSpan(0, 10));
        Assert.Equal(values.Skip(70_000).Take(10).Select(v => (float)(Half)v), read.Take(10));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadFloats(file.Tensor("vector"), 1, read.AsSpan(0, 3)));
        Assert.Throws<InvalidDataException>(() => file.Tensor("absent"));
    }

    [Theory]
    [InlineData(float.NaN, GgmlType.F32)]
    [InlineData(float.PositiveInfinity, GgmlType.F32)]
    [InlineData(65520f, GgmlType.F16)]
    public void A_failed_write_leaves_the_old_file_and_nothing_else(float value, GgmlType type)
    {
        File.WriteAllText(Path1, "old");
        var writer = new GgufWriter().Add("good", GgmlType.F32, TensorSource.From(new float[8], 8)).Add("bad", type, TensorSource.From(new[] { 1f, value }, 2));
        var error = Assert.Throws<InvalidDataException>(() => writer.Write(Path1));
        Assert.Contains("'bad'", error.Message);
        Assert.Equal("old", File.ReadAllText(Path1));
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public void What_GGUF_cannot_hold_is_refused()
    {
        var source = TensorSource.From(new float[4], 2, 2);
        Assert.Throws<ArgumentException>(() => new GgufWriter().Set("date", new DateOnly(2025, 1, 1)));
        Assert.Throws<ArgumentException>(() => new GgufWriter().Set("", 1));
        Assert.Throws<ArgumentException>(() => new GgufWriter().Add("a", GgmlType.Q4_K, source));
        Assert.Throws<ArgumentException>(() => new GgufWriter().Add("a", GgmlType.F32, source).Add("a", GgmlType.F32, source));
        Assert.Throws<ArgumentException>(() => new GgufWriter().Add(new string('n', 64), GgmlType.F32, source));
        Assert.Throws<ArgumentException>(() => TensorSource.From(new float[4], 3));
    }

    [Fact]
    public void Errors_say_in_one_line_what_is_wrong()
    {
        new GgufWriter().Set("general.name", "x").Add("t", GgmlType.F32, TensorSource.From(new float[64], 64)).Write(Path1);
        var good = File.ReadAllBytes(Path1);
        Assert.Throws<FileNotFoundException>(() => GgufReader.Open(Path.Combine(_folder, "absent.gguf")));
        AssertRefused("not a GGUF file", []);
        AssertRefused("not a GGUF file", "PK\u0003\u0004 something else"u8.ToArray());
        AssertRefused("truncated", good[..20]);
        AssertRefused("truncated", good[..60]);
        AssertRefused("truncated GGUF file: the tensor 't'", good[..^4]);
        AssertRefused("version 1", WithVersion(good, 1));
        AssertRefused("version 4", WithVersion(good, 4));
        AssertRefused("big-endian", WithVersion(good, 0x03000000));
        File.WriteAllBytes(Path1, WithVersion(good, 2));
        using var second = GgufReader.Open(Path1);
        Assert.Equal(2u, second.Version);
    }

    private static byte[] WithVersion(byte[] file, uint version)
    {
        var copy = (byte[])file.Clone();
        BinaryPrimitives.WriteUInt32LittleEndian(copy.AsSpan(4), version);
        return copy;
    }

    private void AssertRefused(string message, byte[] bytes)
    {
        File.WriteAllBytes(Path1, bytes);
        var error = Assert.Throws<InvalidDataException>(() => GgufReader.Open(Path1));
        Assert.Contains(message, error.Message);
        Assert.StartsWith(Path1, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }
}
