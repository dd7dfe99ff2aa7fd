namespace PsyLite.Tests.Store;

/// <summary>A folder of a test's own that goes away with it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("psylite-store-").FullName;

    public string this[string name] => Path.Combine(_path, name);

    public IEnumerable<string> Names => Directory.EnumerateFiles(_path).Select(f => Path.GetFileName(f)).Order();

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
