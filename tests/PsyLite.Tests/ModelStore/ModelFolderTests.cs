using System.Security.Cryptography;
using PsyLite.ModelStore;
using PsyLite.Tests.Store;

namespace PsyLite.Tests.ModelStore;

public sealed class ModelFolderTests
{
    [Theory]
    [InlineData("Juneup/internlm2.5_7b_distill:orpo_q4_k_m", "Juneup/internlm2.5_7b_distill:orpo_q4_k_m")]
    [InlineData("qwen", "qwen:latest")]
    [InlineData("library/qwen:1", "qwen:1")]
    [InlineData("hf.co/user/repo:Q4", "hf.co/user/repo:Q4")]
    [InlineData("localhost:5000/a/b", "localhost:5000/a/b:latest")]
    [InlineData("hf:owner/repo@0123456789abcdef0123456789abcdef01234567/dir/file.gguf", "hf:owner/repo/dir/file.gguf")]
    [InlineData("hf:owner/repo/file.gguf", "hf:owner/repo/file.gguf")]
    public void A_reference_has_one_name(string text, string id)
    {
        Assert.Equal(id, ModelReference.Parse(text).Id);
        Assert.Equal(id, ModelReference.Parse(id).Id);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("../x:y")]
    [InlineData("a/../b:c")]
    [InlineData("a:b:c")]
    [InlineData("hf:owner")]
    [InlineData("hf:owner/repo/../../x.gguf")]
    [InlineData("hf:owner/repo/x.bin")]
    [InlineData("hf:owner/repo@a?b/x.gguf")]
    [InlineData("/nowhere/none.gguf")]
    public void What_is_no_reference_is_refused(string text) => Assert.Throws<FormatException>(() => ModelReference.Parse(text));

    [Fact]
    public void Only_what_is_there_in_full_is_listed()
    {
        using var files = new TemporaryFolder();
        var folder = new ModelFolder(files["models"]);
        Assert.Empty(folder.List());
        var model = Save(folder, "a:1", FakeHub.Gguf(4000));
        Assert.Equal("a:1", Assert.Single(folder.List()).Id);
        Assert.Equal(("internlm2", "Q4_K_M", 4096, "apache-2.0"), ModelFolder.Describe(folder.PathOf(model.Model)));
        File.WriteAllText(Path.Combine(folder.Root, "manifests", "broken.json"), "{");
        File.WriteAllText(Path.Combine(folder.Root, "manifests", "half.json.partial"), "{}");
        Assert.Single(folder.List());
        using (var cut = File.OpenWrite(folder.PathOf(model.Model)))
        {
            cut.SetLength(100);
        }

        Assert.Empty(folder.List());
        Assert.Null(folder.Find("a:1"));
    }

    [Fact]
    public void A_file_that_two_names_share_goes_with_the_second()
    {
        using var files = new TemporaryFolder();
        var folder = new ModelFolder(files["models"]);
        var bytes = FakeHub.Gguf(4000);
        var (first, second) = (Save(folder, "a:1", bytes), Save(folder, "b:1", bytes));
        folder.Remove(first);
        Assert.True(File.Exists(folder.PathOf(second.Model)));
        Assert.Equal("b:1", Assert.Single(folder.List()).Id);
        folder.Remove(second);
        Assert.False(File.Exists(folder.PathOf(second.Model)));
    }

    [Fact]
    public void A_newer_file_of_the_same_name_takes_the_older_ones_place()
    {
        using var files = new TemporaryFolder();
        var folder = new ModelFolder(files["models"]);
        var older = Save(folder, "a:1", FakeHub.Gguf(4000));
        var newer = Save(folder, "a:1", FakeHub.Gguf(8000));
        Assert.False(File.Exists(folder.PathOf(older.Model)));
        Assert.Equal(newer.Model.Sha256, folder.Find("a:1")!.Model.Sha256);
    }

    [Fact]
    public void A_journal_survives_any_cut_and_never_claims_more_than_was_recorded()
    {
        using var files = new TemporaryFolder();
        var partial = files["x.partial"];
        File.WriteAllBytes(partial, new byte[1000]);
        using (var journal = RangeJournal.Open(partial, 1000))
        {
            journal.SetValidator("\"tag\"");
            journal.Add(100, 250);
            journal.Add(500, 999);
            journal.Add(250, 300);
        }

        var whole = File.ReadAllBytes(RangeJournal.PathOf(partial));
        for (var length = 0; length <= whole.Length; length++)
        {
            File.WriteAllBytes(RangeJournal.PathOf(partial), whole[..length]);
            using (var again = RangeJournal.Open(partial, 1000))
            {
                again.Add(10, 20);
                var missing = again.Missing(1000, 64).ToList();
                Assert.Equal(1000 - again.Bytes, missing.Sum(r => r.End - r.Start));
                Assert.All(new[] { 0L, 99, 300, 499, 999 }, at => Assert.Contains(missing, r => r.Start <= at && at < r.End));
            }
        }

        File.WriteAllText(RangeJournal.PathOf(partial), "0 5000\n-1 7\nnonsense\n\n9 3\n\0\n");
        using var odd = RangeJournal.Open(partial, 1000);
        Assert.Equal(0, odd.Bytes);
    }

    private static ModelManifest Save(ModelFolder folder, string id, byte[] bytes)
    {
        var remote = new RemoteFile("model", new Uri("https://example.org/"), Convert.ToHexStringLower(SHA256.HashData(bytes)), bytes.Length);
        var stored = new StoredFile("model", remote.Sha256, remote.Bytes, ModelFolder.BlobName(remote));
        Directory.CreateDirectory(Path.Combine(folder.Root, "blobs"));
        File.WriteAllBytes(folder.PathOf(stored), bytes);
        var manifest = new ModelManifest(id, "https://example.org/", "1", DateTimeOffset.UnixEpoch, null, "internlm2", "Q4_K_M", 4096, [stored]);
        folder.Save(manifest);
        return manifest;
    }
}
