using PsyLite.Engine;
using PsyLite.Engine.Native;

namespace PsyLite.Tests.Engine;

public sealed class LibraryFolderTests : IDisposable
{
    private readonly DirectoryInfo program = Directory.CreateTempSubdirectory("psylite-native");

    [Theory]
    [InlineData("linux-x64", "libllama.v0.5.0.so", "libggml.v0.5.0.so", "libggml-base.so", "libggml-cpu-zen4.so")]
    [InlineData("osx-arm64", "libllama.dylib", "libggml.dylib", "libggml-base.dylib", "libggml-metal.dylib")]
    [InlineData("win-x64", "llama.dll", "ggml.v0.5.0.dll", "ggml-base.dll", "ggml-cpu-haswell.dll")]
    public void Finds_each_library_by_its_plain_name(string rid, string llama, string ggml, string ggmlBase, string backend)
    {
        var folder = program.CreateSubdirectory($"native/{rid}");
        foreach (var name in (string[])[backend, ggmlBase, "llama-addon.node", "libllama-common.so", "llama.txt", ggml, llama])
        {
            File.WriteAllText(Path.Combine(folder.FullName, name), "");
        }

        var libraries = LibraryFolder.Open(program.FullName, rid);
        Assert.Equal(llama, Path.GetFileName(libraries.Find("llama")));
        Assert.Equal(ggml, Path.GetFileName(libraries.Find("ggml")));
        Assert.Equal(ggmlBase, Path.GetFileName(libraries.Find("ggml-base")));
    }

    [Fact]
    public void A_missing_folder_or_file_says_what_to_run()
    {
        var noFolder = Assert.Throws<LlamaException>(() => LibraryFolder.Open(program.FullName, "linux-arm64"));
        program.CreateSubdirectory("native/linux-x64");
        var noFile = Assert.Throws<LlamaException>(() => LibraryFolder.Open(program.FullName, "linux-x64").Find("llama"));
        foreach (var failure in (LlamaException[])[noFolder, noFile])
        {
            Assert.Equal(LlamaError.LibraryMissing, failure.Kind);
            Assert.Contains("npm ci", failure.Message);
            Assert.DoesNotContain('\n', failure.Message);
        }
    }

    [Fact]
    public void This_platform_has_its_libraries_beside_the_program() =>
        Assert.True(File.Exists(LibraryFolder.Open(AppContext.BaseDirectory, LibraryFolder.CurrentRid).Find("llama")));

    public void Dispose() => program.Delete(recursive: true);
}
