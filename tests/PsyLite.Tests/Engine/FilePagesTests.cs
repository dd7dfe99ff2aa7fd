using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using System.Text;
using PsyLite.Engine.Native;

namespace PsyLite.Tests.Engine;

/// <summary>What the program gives back of mapped files, on Linux: resident pages go, and every byte is still there.</summary>
public sealed class FilePagesTests : IDisposable
{
    private const int Bytes = 8 << 20;
    private const int ProtectRead = 1;
    private readonly string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.bin");

    public void Dispose() => File.Delete(path);

    [Fact]
    public void A_line_of_maps_is_read_to_its_parts()
    {
        Assert.True(ProcMapping.TryParse("7f12a000-7f12c000 r--s 00001000 fe:00 1234    /opt/a model.gguf"u8, out var mapping));

        Assert.Equal((0x7f12a000, 0x2000, 0x1000), (mapping.Start, mapping.Bytes, mapping.Offset));
        Assert.Equal("r--s", Encoding.UTF8.GetString(mapping.Rights));
        Assert.Equal("/opt/a model.gguf", Encoding.UTF8.GetString(mapping.Path));
    }

    [Theory]
    [InlineData("")]
    [InlineData("7f12a000")]
    [InlineData("7f12a000-")]
    [InlineData("7f12a000-7f12c000")]
    [InlineData("7f12a000-7f12c000 r-")]
    [InlineData("Private_Dirty:         0 kB")]
    [InlineData("VmFlags: rd ex mr mw me sd")]
    public void Other_lines_are_not_mappings(string line) => Assert.False(ProcMapping.TryParse(Encoding.UTF8.GetBytes(line), out _));

    [Fact]
    public void Lines_are_read_whole_across_the_buffer()
    {
        var lines = Enumerable.Range(0, 5000).Select(n => new string((char)('a' + (n % 26)), n % 90)).ToList();
        File.WriteAllText(path, string.Concat(lines.Select(l => l + "\n")));
        var read = new List<string>();

        ProcLines.Read(path, line => read.Add(Encoding.UTF8.GetString(line)));

        Assert.Equal(lines, read);
    }

    [Fact]
    public void Pages_that_are_given_back_leave_memory_and_keep_their_bytes()
    {
        if (!FilePages.CanDrop)
        {
            return;
        }

        File.WriteAllBytes(path, [.. Enumerable.Range(0, Bytes).Select(i => (byte)(i * 7))]);
        using var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        using var view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        FilePages.MapSmall(path);
        var before = Sum(view);
        Assert.InRange(Resident(), Bytes / 2, Bytes);

        FilePages.Drop(path, [(1 << 20, 2 << 20)]);
        Assert.InRange(Resident(), Bytes - (3 << 20), Bytes - (2 << 20));
        FilePages.Drop(path);
        Assert.Equal(0, Resident());
        Assert.Equal(before, Sum(view));
    }

    [Theory]
    [InlineData("r-xp", "/usr/lib/libggml-base.so", true)]
    [InlineData("r--p", "/lib/x86_64-linux-gnu/libc.so.6", true)]
    [InlineData("r--s", "/opt/app/PsyLite.Engine.dll", true)]
    [InlineData("rw-p", "/opt/app/PsyLite.Engine.dll", false)]
    [InlineData("rwxp", "/opt/app/libcoreclr.so", false)]
    [InlineData("r--s", "/opt/a.so.d/mini.gguf", false)]
    [InlineData("r--s", "/opt/some.sort", false)]
    [InlineData("r-xp", "", false)]
    public void Code_is_an_unwritable_mapping_of_a_library(string rights, string file, bool isCode)
    {
        Assert.True(ProcMapping.TryParse(Encoding.UTF8.GetBytes($"7f12a000-7f12c000 {rights} 00001000 fe:00 1234    {file}"), out var mapping));
        Assert.Equal(isCode, FilePages.IsCode(mapping));
    }

    [Fact]
    public void Code_that_is_given_back_still_runs()
    {
        for (var round = 0; round < 3; round++)
        {
            FilePages.DropCode();
            Assert.Equal("[1,2,3]", System.Text.Json.JsonSerializer.Serialize(new[] { 1, 2, 3 }));
            Assert.Equal(64, Convert.ToHexString(System.Security.Cryptography.SHA256.HashData("x"u8)).Length);
        }
    }

    [Fact]
    public void What_was_written_to_a_private_mapping_of_a_library_stays_when_its_pages_are_given_back()
    {
        if (!FilePages.CanDrop)
        {
            return;
        }

        var library = Path.ChangeExtension(path, ".dll");
        File.WriteAllBytes(library, new byte[Bytes]);
        try
        {
            // As a loader does: a private copy is changed at some places, and then only read.
            using var file = MemoryMappedFile.CreateFromFile(library, FileMode.Open, null, 0, MemoryMappedFileAccess.CopyOnWrite);
            using var view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.CopyOnWrite);
            for (var at = 0; at < Bytes; at += 64 << 10)
            {
                view.Write(at, (byte)(1 + (at >> 16)));
            }

            ForbidWriting(view.SafeMemoryMappedViewHandle.DangerousGetHandle());
            FilePages.DropCode();
            for (var at = 0; at < Bytes; at += 64 << 10)
            {
                Assert.Equal((byte)(1 + (at >> 16)), view.ReadByte(at));
                Assert.Equal(0, view.ReadByte(at + (32 << 10)));
            }
        }
        finally
        {
            File.Delete(library);
        }
    }

    private static unsafe void ForbidWriting(nint start)
    {
        var protect = (delegate* unmanaged<nint, nuint, int, int>)NativeLibrary.GetExport(NativeLibrary.Load("libc.so.6"), "mprotect");
        Assert.Equal(0, protect(start, Bytes, ProtectRead));
    }

    private static long Sum(MemoryMappedViewAccessor view)
    {
        long sum = 0;
        for (var at = 0; at < Bytes; at += 512)
        {
            sum += view.ReadByte(at);
        }

        return sum;
    }

    /// <summary>Bytes of the file that lie in this process's memory.</summary>
    private long Resident()
    {
        var (here, bytes) = (false, 0L);
        ProcLines.Read("/proc/self/smaps", line =>
        {
            if (ProcMapping.TryParse(line, out var mapping))
            {
                here = Encoding.UTF8.GetString(mapping.Path) == path;
            }
            else if (here && line.StartsWith("Rss:"u8))
            {
                bytes += 1024 * long.Parse(Encoding.UTF8.GetString(line)[4..^2], System.Globalization.CultureInfo.InvariantCulture);
            }
        });
        return bytes;
    }
}
