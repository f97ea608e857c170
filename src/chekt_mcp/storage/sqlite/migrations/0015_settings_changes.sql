-- Goes up with every change of an app, a key or an allow list, so that what a process remembers of them is known to hold.
CREATE TABLE settings_changes (changes INTEGER NOT NULL);
INSERT INTO settings_changes VALUES (0);
CREATE TRIGGER apps_added AFTER INSERT ON apps
BEGIN UPDATE settings_changes SET changes = changes + 1; END;
CREATE TRIGGER apps_changed AFTER UPDATE ON apps
BEGIN UPDATE settings_changes SET changes = changes + 1; END;
CREATE TRIGGER apps_removed AFTER DELETE ON apps
BEGIN UPDATE settings_changes SET changes = changes + 1; END;
CREATE TRIGGER keys_added AFTER INSERT ON keys
BEGIN UPDATE settings_changes SET changes = changes + 1; END;
CREATE TRIGGER keys_changed AFTER UPDATE ON keys
BEGIN UPDATE settings_changes SET changes = changes + 1; END;
CREATE TRIGGER keys_removed AFTER DELETE ON keys
BEGIN UPDATE settings_changes SET changes = changes + 1; END;
CREATE TRIGGER allow_list_versions_added AFTER INSERT ON allow_list_versions
BEGIN UPDATE settings_changes SET changes = changes + 1; END;
CREATE TRIGGER allow_list_versions_changed AFTER UPDATE ON allow_list_versions
BEGIN UPDATE settings_changes SET changes = changes + 1; END;
CREATE TRIGGER allow_list_versions_removed AFTER DELETE ON allow_list_versions
BEGIN UPDATE settings_changes SET changes = changes + 1; END;
